// futex-pools.cpp - what std::atomic, std::latch and std::counting_semaphore are for: workers that
// are idle at the end, each in a wait of its kind, one that nobody ever asked, and some that were
// made one after the other, were served, and wait for more.
#include "test-programs/common/sample.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <latch>
#include <memory>
#include <semaphore>
#include <thread>
#include <vector>

namespace
{

std::counting_semaphore<1000> jobs(0);
std::atomic<int> done{0};
std::atomic<int> generation{0};
std::latch shutdown_asked(1);

void worker()
{
    for (;;) {
        jobs.acquire();
        done.fetch_add(1);
        done.notify_all();
    }
}

void follower()
{
    for (int seen = 0;; seen = generation.load())
        generation.wait(seen);
}

// A thread for each client, with a mailbox of its own.
struct client {
    std::atomic<int> mail{0};

    void serve()
    {
        for (int seen = 0;; seen = mail.load()) {
            mail.wait(seen);
            done.fetch_add(1);
            done.notify_all();
        }
    }
};

void wait_for_done(int n)
{
    for (int now = done.load(); now < n; now = done.load())
        done.wait(now);
}

} // namespace

int main()
{
    std::vector<std::unique_ptr<client>> clients;

    for (int i = 0; i < 4; i++) {
        std::thread(worker).detach();
        std::thread(follower).detach();
    }
    std::thread([] {
        shutdown_asked.wait();
        std::abort();
    }).detach();
    for (int i = 0; i < 100; i++)
        jobs.release();
    wait_for_done(100);
    for (int i = 0; i < 8; i++) {
        clients.push_back(std::make_unique<client>());
        std::thread(&client::serve, clients.back().get()).detach();
        for (int k = 1; k <= 3; k++) {
            wait_until_others_wait();
            clients.back()->mail.store(k);
            clients.back()->mail.notify_one();
            wait_for_done(100 + 3 * i + k);
        }
    }
    generation.store(1);
    generation.notify_all();
    wait_until_others_wait();
    std::puts("idle");
    std::fflush(stdout);
    std::_Exit(0);
}
