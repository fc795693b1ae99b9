/*
 * pool-unused.c - a library starts its workers on first use, as many do, and this run had no job
 * for them: they wait on a static queue.
 */
#include "test-programs/common/sample.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t work = PTHREAD_COND_INITIALIZER;
static sem_t started;
static int jobs;

static void *worker(void *arg)
{
    pthread_mutex_lock(&lock);
    sem_post(&started);
    while (jobs == 0)
        pthread_cond_wait(&work, &lock);
    jobs--;
    pthread_mutex_unlock(&lock);
    return arg;
}

int main(void)
{
    pthread_t thread;

    sem_init(&started, 0, 0);
    for (int i = 0; i < 4; i++) {
        MUST(pthread_create(&thread, NULL, worker, NULL) == 0);
        pthread_detach(thread);
    }
    for (int i = 0; i < 4; i++)
        sem_wait(&started);
    pthread_mutex_lock(&lock); /* so that the last one is parked */
    pthread_mutex_unlock(&lock);
    puts("nothing to do");
    return 0;
}
