/*
 * pool-unused-own.c - a pool with a condition for each worker, made at the start; the run goes on
 * and has no job for any of them. The workers are not joined at the end.
 */
#include "test-programs/common/sample.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define WORKERS 4

struct worker {
    pthread_mutex_t lock;
    pthread_cond_t work;
    sem_t started;
    bool has_job;
};

static void *run_jobs(void *arg)
{
    struct worker *w = arg;

    pthread_mutex_lock(&w->lock);
    sem_post(&w->started);
    while (!w->has_job)
        pthread_cond_wait(&w->work, &w->lock);
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

static struct worker *worker_start(void)
{
    struct worker *w = calloc(1, sizeof *w);
    pthread_t thread;

    MUST(w != NULL);
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->work, NULL);
    sem_init(&w->started, 0, 0);
    MUST(pthread_create(&thread, NULL, run_jobs, w) == 0);
    pthread_detach(thread);
    return w;
}

int main(void)
{
    struct worker *workers[WORKERS];
    long began = now_ms();

    for (int i = 0; i < WORKERS; i++)
        workers[i] = worker_start();
    for (int i = 0; i < WORKERS; i++) {
        sem_wait(&workers[i]->started);
        pthread_mutex_lock(&workers[i]->lock); /* so that it is parked */
        pthread_mutex_unlock(&workers[i]->lock);
    }
    /* What the program is for, without the pool: far longer than the pool took to make. */
    sleep_ms(1000 + 30 * (int)(now_ms() - began));
    puts("nothing to do");
    return 0;
}
