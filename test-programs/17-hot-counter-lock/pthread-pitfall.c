/*
 * A counter of requests under a mutex: the work is one addition, the mutex costs hundreds of times
 * that as soon as two threads count at once.
 *
 * Look at count_one.
 */
#include "test-programs/common/sample.h"

#include <pthread.h>
#include <stdio.h>

#define THREADS  4
#define REQUESTS 1000000

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long requests;

static void count_one(void)
{
    pthread_mutex_lock(&lock); /* LOCK */
    requests++;
    pthread_mutex_unlock(&lock);
}

static void *serve(void *arg)
{
    for (int i = 0; i < REQUESTS || !has_waited(40); i++)
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
    MUST(requests >= (long)THREADS * REQUESTS);
    printf("%d requests\n", THREADS * REQUESTS);
    return 0;
}
