/*
 * pool-idle.c - a pool of eight whose queue is on the heap; only some workers ever got a job, and
 * all are parked when main returns: they are there for the next job.
 */
#include "test-programs/common/sample.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>

struct pool {
    pthread_mutex_t lock;
    pthread_cond_t work;
    sem_t started, done;
    int jobs;
};

static void *worker(void *arg)
{
    struct pool *pool = arg;

    pthread_mutex_lock(&pool->lock);
    sem_post(&pool->started);
    for (;;) {
        while (pool->jobs == 0)
            pthread_cond_wait(&pool->work, &pool->lock);
        pool->jobs--;
        sem_post(&pool->done);
    }
    return NULL;
}

int main(void)
{
    struct pool *pool = calloc(1, sizeof *pool);
    pthread_t thread;

    MUST(pool != NULL);
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->work, NULL);
    sem_init(&pool->started, 0, 0);
    sem_init(&pool->done, 0, 0);
    for (int i = 0; i < 8; i++) {
        MUST(pthread_create(&thread, NULL, worker, pool) == 0);
        pthread_detach(thread);
    }
    for (int i = 0; i < 8; i++)
        sem_wait(&pool->started);
    for (int i = 0; i < 3; i++) {
        pthread_mutex_lock(&pool->lock);
        pool->jobs++;
        pthread_cond_signal(&pool->work);
        pthread_mutex_unlock(&pool->lock);
        sem_wait(&pool->done);
    }
    puts("3 jobs");
    return 0;
}
