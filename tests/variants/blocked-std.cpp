// blocked-std.cpp - a std::thread for each connection that is read until its peer closes it.
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace
{

class Connection
{
  public:
    Connection()
    {
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) != 0)
            std::abort();
    }
    int end() const { return ends[0]; }
    void hang_up() const { close(ends[1]); }

  private:
    std::array<int, 2> ends{};
};

std::atomic<int> served;

void serve(int fd)
{
    char byte;
    served++;
    while (read(fd, &byte, 1) > 0) /* BLOCKS */
        ;
    close(fd);
}

} // namespace

int main()
{
    std::vector<Connection> connections(150);
    std::vector<std::thread> threads;

    for (const auto &connection : connections)
        threads.emplace_back(serve, connection.end()); /* SPAWN */
    while (served < 150)
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    for (const auto &connection : connections)
        connection.hang_up();
    for (auto &thread : threads)
        thread.join();
    std::printf("%zu connections\n", connections.size());
    return 0;
}
