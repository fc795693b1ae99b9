// lock-io-std.cpp - a std::lock_guard that lives longer than it looks: until the end of the
// function, over the wait for the answer.
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace
{

std::mutex session_lock;
int sockets[2];

char ask()
{
    char answer = 0;

    if (send(sockets[0], "?", 1, 0) != 1 || recv(sockets[0], &answer, 1, 0) != 1) /* IO */
        std::abort();
    return answer;
}

void query(int times)
{
    for (int i = 0; i < times; i++) {
        std::lock_guard<std::mutex> guard(session_lock); /* LOCK */
        if (ask() != '!')
            std::abort();
    }
}

void answer(int times)
{
    char question;

    for (int i = 0; i < times; i++) {
        if (recv(sockets[1], &question, 1, 0) != 1)
            std::abort();
        usleep(5000);
        if (send(sockets[1], "!", 1, 0) != 1)
            std::abort();
    }
}

} // namespace

int main()
{
    std::vector<std::thread> threads;

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) != 0)
        return 1;
    threads.emplace_back(answer, 24);
    for (int i = 0; i < 3; i++)
        threads.emplace_back(query, 8);
    for (auto &thread : threads)
        thread.join();
    std::puts("answered");
    return 0;
}
