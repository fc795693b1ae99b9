/*
 * Looks like the mistake and is right: a large pool is parked on purpose, on a condition, until
 * there is work; its threads wait for the program itself, not in calls that nobody bounds.
 *
 * Look at the pthread_cond_wait in worker.
 */
#include "test-programs/common/sample.h"

#include <pthread.h>
#include <stdio.h>

#define POOL 200

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int jobs, closed;

static void *worker(void *arg)
{
    pthread_mutex_lock(&lock);
    while (jobs > 0 || !closed) {
        if (jobs > 0)
            jobs--;
        else
            pthread_cond_wait(&changed, &lock);
    }
    pthread_mutex_unlock(&lock);
    return arg;
}

int main(void)
{
    pthread_t threads[POOL];
    pthread_attr_t small_stack;

    pthread_attr_init(&small_stack);
    pthread_attr_setstacksize(&small_stack, 64 * 1024);
    for (int i = 0; i < POOL; i++)
        MUST(pthread_create(&threads[i], &small_stack, worker, NULL) == 0);
    wait_until_others_wait();
    pthread_mutex_lock(&lock);
    jobs = 1000;
    closed = 1;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    for (int i = 0; i < POOL; i++)
        pthread_join(threads[i], NULL);
    printf("%d threads\n", POOL);
    return 0;
}
