/*
 * timed-waits.c - semaphores that are waited for with a short time limit, as a safeguard, and that
 * are posted in time; a condition whose limit is a pace.
 */
#include "test-programs/common/sample.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <time.h>

#define ROUNDS 8000
#define PACES  60

static sem_t ping, pong;

static struct timespec in_ns(long ns)
{
    struct timespec at;

    clock_gettime(CLOCK_REALTIME, &at);
    at.tv_nsec += ns;
    at.tv_sec += at.tv_nsec / 1000000000;
    at.tv_nsec %= 1000000000;
    return at;
}

static void await(sem_t *sem)
{
    struct timespec limit = in_ns(900000);

    while (sem_timedwait(sem, &limit) != 0)
        limit = in_ns(100000000); /* the other side is late: no hurry */
}

static void *answer(void *arg)
{
    for (int i = 0; i < ROUNDS; i++) {
        await(&ping);
        sem_post(&pong);
    }
    return arg;
}

static void keep_pace(void)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static pthread_cond_t stop = PTHREAD_COND_INITIALIZER;

    pthread_mutex_lock(&lock);
    for (int i = 0; i < PACES; i++) {
        struct timespec next = in_ns(5000000);
        pthread_cond_timedwait(&stop, &lock, &next);
    }
    pthread_mutex_unlock(&lock);
}

int main(void)
{
    pthread_t thread;

    sem_init(&ping, 0, 0);
    sem_init(&pong, 0, 0);
    MUST(pthread_create(&thread, NULL, answer, NULL) == 0);
    for (int i = 0; i < ROUNDS; i++) {
        sem_post(&ping);
        await(&pong);
    }
    pthread_join(thread, NULL);
    keep_pace();
    puts("done");
    return 0;
}
