/*
 * served.cpp - the same requests, each answered, before the program ends.
 */
#include "test-programs/common/sample.h"

#include <cstdio>
#include <vector>

#include "tests/adopting/loiter_fiber.hpp"

#define REQUESTS 20

int main()
{
    boost::fibers::use_scheduling_algorithm<loiter::algorithm>();

    static loiter::channel<int> questions{16}, answers{16};
    std::vector<boost::fibers::fiber> fibers;
    int sum = 0;

    fibers.push_back(loiter::fiber([] {
        for (int i = 0, question; i < REQUESTS; i++) {
            questions.pop(question);
            answers.push(2 * question);
        }
    }));
    for (int i = 0; i < REQUESTS; i++)
        fibers.push_back(loiter::fiber([i, &sum] {
            int answer = 0;
            questions.push(i);
            answers.pop(answer);
            sum += answer;
            boost::this_fiber::sleep_for(std::chrono::milliseconds(1));
            boost::this_fiber::yield();
        }));
    for (boost::fibers::fiber &f : fibers)
        f.join();
    std::printf("%d\n", sum);
    return 0;
}
