/*
 * kubernetes_58107, with threads: a worker holds the read lock while it is parked on a condition; a
 * writer queues for the lock; the one that would signal needs to read first and stands behind it.
 */
#include "test-programs/common/sample.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdio.h>

static pthread_rwlock_t controller;
static pthread_mutex_t queue_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t queue_filled = PTHREAD_COND_INITIALIZER;
static sem_t parked, begins;
static bool fixed, filled;

static void *worker(void *arg)
{
    if (!fixed)
        pthread_rwlock_rdlock(&controller); /* HELD */
    pthread_mutex_lock(&queue_lock);
    sem_post(&parked);
    while (!filled)
        pthread_cond_wait(&queue_filled, &queue_lock); /* LEAK */
    pthread_mutex_unlock(&queue_lock);
    if (!fixed)
        pthread_rwlock_unlock(&controller);
    return arg;
}

static void *synchronize(void *arg)
{
    sem_post(&begins);
    pthread_rwlock_wrlock(&controller); /* LEAK2 */
    pthread_rwlock_unlock(&controller);
    return arg;
}

static void *enqueue(void *arg)
{
    sem_post(&begins);
    pthread_rwlock_rdlock(&controller); /* LEAK3 */
    pthread_mutex_lock(&queue_lock);
    filled = true;
    pthread_cond_signal(&queue_filled);
    pthread_mutex_unlock(&queue_lock);
    pthread_rwlock_unlock(&controller);
    return arg;
}

int main(int argc, char **argv)
{
    pthread_rwlockattr_t attributes;
    pthread_t threads[3];

    (void)argv;
    fixed = argc > 1;
    sem_init(&parked, 0, 0);
    sem_init(&begins, 0, 0);
    pthread_rwlockattr_init(&attributes);
    pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&controller, &attributes);
    MUST(pthread_create(&threads[0], NULL, worker, NULL) == 0); /* SPAWN */
    sem_wait(&parked);
    MUST(pthread_create(&threads[1], NULL, synchronize, NULL) == 0);
    sem_wait(&begins);
    while (!fixed && pthread_rwlock_tryrdlock(&controller) == 0) { /* until the writer queues */
        pthread_rwlock_unlock(&controller);
        sleep_ms(1);
    }
    MUST(pthread_create(&threads[2], NULL, enqueue, NULL) == 0);
    sem_wait(&begins);
    wait_until_others_wait();
    for (int i = 0; fixed && i < 3; i++)
        pthread_join(threads[i], NULL);
    puts("ended");
    return 0;
}
