/*
 * A counter of requests that is an atomic: an addition is one instruction, and nobody waits.
 *
 * Look at count_one.
 */
#include "test-programs/common/sample.h"

#include <pthread.h>
#include <stdio.h>

#define THREADS  4
#define REQUESTS 1000000

static _Atomic long requests;

static void count_one(void)
{
    requests++;
}

static void *serve(void *arg)
{
    for (int i = 0; i < REQUESTS; i++)
        count_one();
    return arg;
}

int main(void)
{
    pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++)
        MUST(pthread_create(&threads[i], NULL, serve, NULL) == 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    MUST(requests == (long)THREADS * REQUESTS);
    printf("%d requests\n", THREADS * REQUESTS);
    return 0;
}
