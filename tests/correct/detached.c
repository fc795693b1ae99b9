/*
 * detached.c - detached threads that end by themselves, some by pthread_exit, some cancelled with a
 * clean-up that unlocks; main leaves by pthread_exit and the last thread ends the process.
 */
#include "test-programs/common/sample.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static sem_t cancelled_waits;

static void unlock(void *mutex)
{
    pthread_mutex_unlock(mutex);
}

static void *wait_cancelled(void *arg)
{
    static pthread_cond_t never = PTHREAD_COND_INITIALIZER;

    pthread_mutex_lock(&lock);
    pthread_cleanup_push(unlock, &lock);
    sem_post(&cancelled_waits);
    for (;;)
        pthread_cond_wait(&never, &lock);
    pthread_cleanup_pop(1);
    return arg;
}

static void *end(void *arg)
{
    sleep_ms(5);
    if ((intptr_t)arg % 2 == 0)
        pthread_exit(NULL);
    return NULL;
}

int main(void)
{
    pthread_t thread;

    sem_init(&cancelled_waits, 0, 0);
    for (int i = 0; i < 10; i++) {
        MUST(pthread_create(&thread, NULL, wait_cancelled, NULL) == 0);
        sem_wait(&cancelled_waits);
        pthread_cancel(thread);
        pthread_join(thread, NULL);
    }
    for (intptr_t i = 0; i < 50; i++) {
        MUST(pthread_create(&thread, NULL, end, (void *)i) == 0);
        pthread_detach(thread);
    }
    puts("main leaves");
    fflush(stdout);
    pthread_exit(NULL);
}
