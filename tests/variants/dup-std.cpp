// dup-std.cpp - the resource that several make at once, as a singleton with a test and no lock
// whose losers close what they made.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace
{

constexpr int THREADS = 6;
std::atomic<int> opened;

class Device
{
  public:
    Device() : fd(open("/proc/self/exe", O_RDONLY | O_CLOEXEC)) /* TWICE */
    {
        if (fd < 0)
            std::abort();
        opened++; // it takes so long that all come meanwhile
        while (opened < THREADS)
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    Device(const Device &) = delete;
    Device &operator=(const Device &) = delete;
    ~Device() { close(fd); }
    long sample() const
    {
        char bytes[16];
        return pread(fd, bytes, sizeof bytes, 0);
    }
    static Device &instance()
    {
        Device *now = the.load();
        if (now == nullptr) {
            auto *made = new Device;
            if (the.compare_exchange_strong(now, made))
                now = made;
            else
                delete made;
        }
        return *now;
    }

  private:
    int fd;
    static std::atomic<Device *> the;
};

std::atomic<Device *> Device::the{nullptr};

} // namespace

int main()
{
    std::vector<std::thread> threads;

    for (int i = 0; i < THREADS; i++)
        threads.emplace_back([] {
            for (int k = 0; k < 8; k++)
                if (Device::instance().sample() < 0)
                    std::abort();
        });
    for (auto &thread : threads)
        thread.join();
    std::puts("sampled");
    return 0;
}
