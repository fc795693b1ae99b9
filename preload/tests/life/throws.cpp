/*
 * throws.cpp - exceptions that pass through wrapped calls, and the program's own backtrace(): both
 * are the same with the library as without.
 */
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <execinfo.h>
#include <mutex>
#include <pthread.h>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void once_throws()
{
    throw std::runtime_error("out of pthread_once");
}

static void throws_under_lock(std::mutex &m, int depth)
{
    std::lock_guard<std::mutex> guard(m);
    if (depth == 0)
        throw std::runtime_error("under a lock");
    std::mutex inner;
    throws_under_lock(inner, depth - 1);
}

__attribute__((noinline)) static int depth_of_backtrace(int n)
{
    if (n > 0)
        return depth_of_backtrace(n - 1) + (n < 0);
    void *frames[64];
    return backtrace(frames, 64);
}

static void threads_throw()
{
    std::vector<std::string> caught(4);
    std::vector<std::thread> threads;
    for (size_t i = 0; i < caught.size(); i++)
        threads.emplace_back([&caught, i] {
            std::mutex m;
            try {
                throws_under_lock(m, 3);
            } catch (const std::exception &e) {
                caught[i] = e.what();
            }
            m.lock();
            m.unlock();
        });
    for (auto &t : threads)
        t.join();
    for (auto &text : caught)
        std::printf("thread: %s\n", text.c_str());
}

int main()
{
    std::mutex m;
    try {
        throws_under_lock(m, 5);
    } catch (const std::exception &e) {
        std::printf("main: %s\n", e.what());
    }
    std::printf("free again: %d\n", m.try_lock());
    m.unlock();
    for (int i = 0; i < 2; i++) {
        try {
            pthread_once(&once, once_throws);
        } catch (const std::exception &e) {
            std::printf("once: %s\n", e.what());
        }
    }
    threads_throw();
    std::printf("frames: %d\n", depth_of_backtrace(10));
    return 0;
}
