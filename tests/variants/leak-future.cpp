// leak-future.cpp - the leak with std::promise: a request that was dropped keeps its promise in a
// list that nobody looks at again, and its thread waits for the answer.
#include "test-programs/common/sample.h"

#include <cstdio>
#include <cstdlib>
#include <future>
#include <list>
#include <thread>

namespace service
{

static void await_answer(std::shared_future<int> answer)
{
    std::printf("%d\n", answer.get()); /* LEAK */
}

static void post(std::list<std::promise<int>> &requests)
{
    requests.emplace_back();
    auto answer = requests.back().get_future().share();
    std::thread([answer] { await_answer(answer); }).detach(); /* SPAWN */
}

} // namespace service

int main()
{
    std::list<std::promise<int>> dropped;

    for (int i = 0; i < 10; i++) {
        service::post(dropped);
        sleep_ms(10);
    }
    wait_until_others_wait();
    std::puts("posted");
    std::fflush(stdout);
    std::quick_exit(0);
}
