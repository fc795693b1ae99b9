// spawn-std.cpp - a std::thread for each item, kept in a vector that is joined at the end.
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <thread>
#include <vector>

static std::mutex lock;
static std::condition_variable read_all;
static bool all_read;

// Needs to know how many there are, so it waits until the input has been read.
static void handle()
{
    std::unique_lock<std::mutex> guard(lock);
    while (!all_read)
        read_all.wait(guard);
}

int main()
{
    std::vector<std::thread> threads;

    for (int i = 0; i < 1200; i++)
        threads.emplace_back(handle); /* SPAWN */
    {
        std::lock_guard<std::mutex> guard(lock);
        all_read = true;
    }
    read_all.notify_all();
    for (auto &thread : threads)
        thread.join();
    std::puts("handled");
    return 0;
}
