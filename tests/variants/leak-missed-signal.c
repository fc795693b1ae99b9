/*
 * leak-missed-signal.c - a worker that waits for a signal without looking whether what it is about
 * has happened: the signal was given before, and its maker waits for the worker to end.
 */
#include "test-programs/common/sample.h"

#include <pthread.h>
#include <stdio.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ready = PTHREAD_COND_INITIALIZER;

static void *work(void *arg)
{
    sleep_ms(50);
    pthread_mutex_lock(&lock);
    pthread_cond_wait(&ready, &lock); /* LEAK */
    pthread_mutex_unlock(&lock);
    return arg;
}

int main(void)
{
    pthread_t worker;

    MUST(pthread_create(&worker, NULL, work, NULL) == 0); /* SPAWN */
    pthread_mutex_lock(&lock);
    pthread_cond_signal(&ready);
    pthread_mutex_unlock(&lock);
    pthread_join(worker, NULL);
    puts("never");
    return 0;
}
