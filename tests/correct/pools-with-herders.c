/*
 * pools-with-herders.c - two pools, each with a thread that makes its workers at the start and
 * looks after them. A worker has a condition of its own, on its stack; the run has no job for any.
 */
#include "test-programs/common/sample.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>

#define POOLS   2
#define WORKERS 4

struct worker {
    pthread_mutex_t lock;
    pthread_cond_t work;
    bool has_job;
};

static atomic_int parked;

static void *run_jobs(void *arg)
{
    struct worker me = {.has_job = false};
    pthread_mutex_init(&me.lock, NULL);
    pthread_cond_init(&me.work, NULL);
    pthread_mutex_lock(&me.lock);
    atomic_fetch_add(&parked, 1);
    while (!me.has_job)
        pthread_cond_wait(&me.work, &me.lock);
    pthread_mutex_unlock(&me.lock);
    return arg;
}

static void *herd(void *arg)
{
    pthread_t thread;
    for (int i = 0; i < WORKERS; i++) {
        MUST(pthread_create(&thread, NULL, run_jobs, NULL) == 0);
        pthread_detach(thread);
    }
    for (;;)
        sleep_ms(20);
    return arg;
}

int main(void)
{
    pthread_t herders[POOLS];
    long began = now_ms();

    for (int i = 0; i < POOLS; i++)
        MUST(pthread_create(&herders[i], NULL, herd, NULL) == 0);
    while (atomic_load(&parked) < POOLS * WORKERS)
        sleep_ms(1);
    /* What the program is for: far longer than the pools took to make. */
    sleep_ms(1000 + 30 * (int)(now_ms() - began));
    /* The herders live as the process ends. */
    puts("nothing to do");
    return 0;
}
