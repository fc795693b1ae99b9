// futures.cpp - std::async, std::promise, std::call_once, exceptions across threads: all is waited
// for.
#include <cstdio>
#include <future>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

static std::once_flag once;
static int once_count;

static int square(int n)
{
    std::call_once(once, [] { once_count++; });
    if (n == 7)
        throw std::runtime_error("seven");
    return n * n;
}

int main()
{
    std::vector<std::future<int>> futures;
    std::promise<int> promise;
    int sum = 0;

    std::thread keeper([&promise] { promise.set_value(1000); });
    for (int i = 0; i < 10; i++)
        futures.push_back(std::async(std::launch::async, square, i));
    for (auto &future : futures) {
        try {
            sum += future.get();
        } catch (const std::runtime_error &) {
            sum += 1;
        }
    }
    sum += promise.get_future().get();
    keeper.join();
    std::printf("%d %d\n", sum, once_count);
    return 0;
}
