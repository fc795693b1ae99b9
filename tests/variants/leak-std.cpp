// leak-std.cpp - the leak with std::thread: a worker waits for the promise of a request that was
// dropped; the request object is kept in a list that nobody looks at again.
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <list>
#include <memory>
#include <mutex>
#include <thread>

namespace service
{

struct Request {
    std::mutex lock;
    std::condition_variable changed;
    bool waits = false;
    bool answered = false;
};

static void await_answer(const std::shared_ptr<Request> &request)
{
    std::unique_lock<std::mutex> guard(request->lock);
    request->waits = true;
    request->changed.notify_all();
    while (!request->answered)
        request->changed.wait(guard); /* LEAK */
}

static std::shared_ptr<Request> post()
{
    auto request = std::make_shared<Request>();
    std::thread([request] { await_answer(request); }).detach(); /* SPAWN */
    return request;
}

} // namespace service

int main()
{
    std::list<std::shared_ptr<service::Request>> dropped;

    for (int i = 0; i < 10; i++) {
        dropped.push_back(service::post());
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    for (auto &request : dropped) {
        std::unique_lock<std::mutex> guard(request->lock);
        while (!request->waits)
            request->changed.wait(guard);
    }
    std::puts("posted");
    std::fflush(stdout);
    std::quick_exit(0);
}
