/*
 * stuck.cpp - fibers that wait for an answer which nobody gives any more, and one that is answered.
 */
#include "test-programs/common/sample.h"

#include <cstdio>
#include <unistd.h>

#include "tests/adopting/loiter_fiber.hpp"

#define REQUESTS 20

using answers = loiter::channel<int>;

static int ask(answers &from)
{
    int answer = 0;

    from.pop(answer); /* STUCK */
    return answer;
}

static void request(answers &from)
{
    loiter::fiber([&from] { ask(from); }).detach(); /* SPAWN */
}

int main()
{
    boost::fibers::use_scheduling_algorithm<loiter::algorithm>();

    static answers lost{16}, given{16};
    int answer = 0;

    for (int i = 0; i < REQUESTS; i++)
        request(lost);
    boost::fibers::fiber asks = loiter::fiber([&answer] { answer = ask(given); });
    given.push(42);
    asks.join();
    std::printf("%d\n", answer);
    std::fflush(stdout);
    _exit(0); /* a thread that returns waits for all of its fibers */
}
