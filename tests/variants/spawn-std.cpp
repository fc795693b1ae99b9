// spawn-std.cpp - a std::thread for each item, kept in a vector that is joined at the end.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

static void handle()
{
    std::this_thread::sleep_for(std::chrono::milliseconds(400));
}

int main()
{
    std::vector<std::thread> threads;

    for (int i = 0; i < 1200; i++)
        threads.emplace_back(handle); /* SPAWN */
    for (auto &thread : threads)
        thread.join();
    std::puts("handled");
    return 0;
}
