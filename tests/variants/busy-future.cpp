// busy-future.cpp - a progress bar looks at a future with a time limit so short that it is a look.
#include <chrono>
#include <cstdio>
#include <future>
#include <thread>

namespace
{

constexpr int LOOKS = 12000; // it takes that many until there is an answer

void watch(const std::future<int> &answer, std::promise<int> &promise)
{
    int looks = 0;
    while (answer.wait_for(std::chrono::microseconds(20)) != std::future_status::ready) { /* LOOK */
        if (++looks == LOOKS)
            promise.set_value(looks);
    }
}

} // namespace

int main()
{
    std::promise<int> promise;
    std::future<int> answer = promise.get_future();

    std::thread watcher([&] { watch(answer, promise); });
    watcher.join();
    std::printf("%d\n", answer.get());
    return 0;
}
