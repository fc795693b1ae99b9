// throws-under-locks.cpp - threads that throw with a lock held and count what they caught. Built with
// each sanitizer: its own reports must not change, and Loiter has none.
#include <algorithm>
#include <cstdio>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

static std::mutex lock;
static int caught;

static void turn(int i)
{
    std::lock_guard<std::mutex> guard(lock);
    if (i % 3 == 0)
        throw std::runtime_error("third");
}

static void run()
{
    for (int i = 0; i < 1000; i++) {
        try {
            turn(i);
        } catch (const std::runtime_error &) {
            std::lock_guard<std::mutex> guard(lock);
            caught++;
        }
    }
}

static bool smaller(int a, int b)
{
    std::lock_guard<std::mutex> guard(lock);
    return a < b;
}

int main()
{
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; i++)
        threads.emplace_back(run);
    for (std::thread &thread : threads)
        thread.join();
    std::vector<int> values{3, 1, 2};
    std::sort(values.begin(), values.end(), smaller);
    std::printf("%d caught, %d is least\n", caught, values[0]);
}
