/*
 * exit-while-busy.c - main returns while its threads are at work: one computes with the lock,
 * others stand in line for it, one waits with a time limit. Their waits would have ended.
 */
#include "test-programs/common/sample.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static sem_t begins;
static atomic_ulong spins;

static void *compute(void *arg)
{
    pthread_mutex_lock(&lock);
    sem_post(&begins);
    for (;;)
        atomic_fetch_add(&spins, 1);
    return arg;
}

static void *stand_in_line(void *arg)
{
    sem_post(&begins);
    pthread_mutex_lock(&lock);
    pthread_mutex_unlock(&lock);
    return arg;
}

static void *wait_a_minute(void *arg)
{
    static pthread_mutex_t own = PTHREAD_MUTEX_INITIALIZER;
    static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
    struct timespec limit;

    clock_gettime(CLOCK_REALTIME, &limit);
    limit.tv_sec += 60;
    pthread_mutex_lock(&own);
    sem_post(&begins);
    while (pthread_cond_timedwait(&never, &own, &limit) == 0)
        ;
    pthread_mutex_unlock(&own);
    return arg;
}

int main(void)
{
    void *(*const parts[])(void *) = {compute, stand_in_line, stand_in_line, wait_a_minute};
    pthread_t thread;

    sem_init(&begins, 0, 0);
    for (int i = 0; i < 4; i++) {
        MUST(pthread_create(&thread, NULL, parts[i], NULL) == 0);
        pthread_detach(thread);
        sem_wait(&begins);
    }
    sleep_ms(20);
    puts("main returns");
    return 0;
}
