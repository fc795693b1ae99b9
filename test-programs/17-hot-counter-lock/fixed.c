/*
 * A counter of requests that is an atomic: an addition is one instruction, and nobody waits.
 *
 * Look at count_one.
 */
#include "test-programs/common/sample.h"

#include <stdio.h>
#include <weft.h>

#define TASKS    8
#define REQUESTS 1000000

static _Atomic long requests;

static void count_one(void)
{
    requests++;
}

static void serve(void *arg)
{
    (void)arg;
    for (int i = 0; i < REQUESTS; i++)
        count_one();
}

static void serve_all(void *arg)
{
    struct weft_waitgroup all = {0};

    (void)arg;
    for (int i = 0; i < TASKS; i++)
        MUST(weft_waitgroup_go(&all, serve, NULL) == 0);
    weft_waitgroup_wait(&all);
    MUST(requests == (long)TASKS * REQUESTS);
    printf("%d requests\n", TASKS * REQUESTS);
}

int main(void)
{
    return weft_run(serve_all, NULL) == 0 ? 0 : 1;
}
