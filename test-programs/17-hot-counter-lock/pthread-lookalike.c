/*
 * A mutex around one addition again, and taken as often. But each thread counts for itself and
 * gives its sum every thousand requests: who counts most finds the mutex free.
 *
 * Look at count_one, whose mutex is the thread's own, and at give_sum.
 */
#include "test-programs/common/sample.h"

#include <pthread.h>
#include <stdio.h>

#define THREADS  4
#define REQUESTS 1000000
#define BATCH    1000

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long requests;

struct counter {
    pthread_mutex_t lock; /* for whoever looks at it meanwhile */
    long requests;
};

static void count_one(struct counter *mine)
{
    pthread_mutex_lock(&mine->lock);
    mine->requests++;
    pthread_mutex_unlock(&mine->lock);
}

static void give_sum(long sum)
{
    pthread_mutex_lock(&lock);
    requests += sum;
    pthread_mutex_unlock(&lock);
}

static void *serve(void *arg)
{
    struct counter mine = {.lock = PTHREAD_MUTEX_INITIALIZER};

    for (int i = 1; i <= REQUESTS; i++) {
        count_one(&mine);
        if (i % BATCH == 0)
            give_sum(BATCH);
    }
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
