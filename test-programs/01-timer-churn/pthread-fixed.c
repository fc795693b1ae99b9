/*
 * The mend of pthread-pitfall: one timer serves all requests; each sets it again.
 *
 * Look at serve_one. The argument is the number of requests.
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

static long serve_one(timer_t limit, long request)
{
    struct itimerspec in_a_minute = {.it_value = {60, 0}};

    MUST(timer_settime(limit, 0, &in_a_minute, NULL) == 0);
    return work(request);
}

int main(int argc, char **argv)
{
    struct sigevent event = {.sigev_notify = SIGEV_NONE};
    long requests = argc > 1 ? atol(argv[1]) : 100000, sum = 0;
    timer_t limit;

    MUST(timer_create(CLOCK_MONOTONIC, &event, &limit) == 0);
    for (long i = 0; i < requests; i++)
        sum += serve_one(limit, i);
    timer_delete(limit);
    printf("sum %ld\n", sum);
    return 0;
}
