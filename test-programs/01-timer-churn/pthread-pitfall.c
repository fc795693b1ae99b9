/*
 * A server makes a POSIX timer as the time limit of each request, and deletes it when the request
 * is over, which is at once: a system call to make it, two to set and delete it, for nothing.
 *
 * Look at serve_one: timer_create stands in the loop. The argument is the number of requests.
 */
#include "test-programs/common/sample.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static long work(long request)
{
    return request % 7;
}

static long serve_one(long request)
{
    struct sigevent event = {.sigev_notify = SIGEV_NONE};
    struct itimerspec in_a_minute = {.it_value = {60, 0}};
    timer_t limit;
    long answer;

    MUST(timer_create(CLOCK_MONOTONIC, &event, &limit) == 0); /* CHURN */
    MUST(timer_settime(limit, 0, &in_a_minute, NULL) == 0);
    answer = work(request);
    timer_delete(limit);
    return answer;
}

int main(int argc, char **argv)
{
    long requests = argc > 1 ? atol(argv[1]) : 100000, sum = 0;

    for (long i = 0; i < requests; i++)
        sum += serve_one(i);
    printf("sum %ld\n", sum);
    return 0;
}
