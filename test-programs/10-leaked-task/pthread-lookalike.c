/*
 * Looks like the leak and is right: a pool whose workers are parked when main returns, because they
 * are there to be used again; and a second pool that is closed and joined.
 *
 * Look at worker: it waits without a limit on a heap object, as the leaked one does, but somebody
 * who is still there has woken it before and can do so again.
 */
#include "test-programs/common/sample.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define WORKERS 4
#define ROUNDS  50

struct pool {
    pthread_mutex_t lock;
    pthread_cond_t work, done;
    int waiting_jobs, finished_jobs;
    bool closed;
    pthread_t threads[WORKERS];
};

static void *worker(void *arg)
{
    struct pool *pool = arg;

    pthread_mutex_lock(&pool->lock);
    for (;;) {
        while (pool->waiting_jobs == 0 && !pool->closed)
            pthread_cond_wait(&pool->work, &pool->lock);
        if (pool->waiting_jobs == 0)
            break;
        pool->waiting_jobs--;
        pthread_mutex_unlock(&pool->lock);
        sleep_ms(1);
        pthread_mutex_lock(&pool->lock);
        pool->finished_jobs++;
        pthread_cond_signal(&pool->done);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

static struct pool *pool_start(void)
{
    struct pool *pool = calloc(1, sizeof *pool);

    MUST(pool != NULL);
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->work, NULL);
    pthread_cond_init(&pool->done, NULL);
    for (int i = 0; i < WORKERS; i++)
        MUST(pthread_create(&pool->threads[i], NULL, worker, pool) == 0);
    return pool;
}

static void pool_run(struct pool *pool, int jobs)
{
    pthread_mutex_lock(&pool->lock);
    pool->finished_jobs = 0;
    pool->waiting_jobs = jobs;
    pthread_cond_broadcast(&pool->work);
    while (pool->finished_jobs < jobs)
        pthread_cond_wait(&pool->done, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
}

static void pool_close(struct pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    pool->closed = true;
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->lock);
    for (int i = 0; i < WORKERS; i++)
        pthread_join(pool->threads[i], NULL);
    free(pool);
}

int main(void)
{
    struct pool *for_ever = pool_start();
    struct pool *closed = pool_start();

    for (int i = 0; i < ROUNDS; i++) {
        pool_run(for_ever, WORKERS);
        pool_run(closed, WORKERS);
    }
    pool_close(closed);
    printf("%d jobs\n", 2 * ROUNDS * WORKERS);
    return 0;
}
