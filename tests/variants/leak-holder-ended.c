/*
 * leak-holder-ended.c - a thread returns with the lock taken, on its error path; those that come
 * later wait for a holder that is no more.
 */
#include "test-programs/common/sample.h"

#include <pthread.h>
#include <stdio.h>

static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t before_lock;

static void *reload(void *arg)
{
    pthread_mutex_lock(&table_lock); /* HELD */
    if (arg == NULL)
        return NULL; /* no configuration: forgets to unlock */
    pthread_mutex_unlock(&table_lock);
    return NULL;
}

static void *look_up(void *arg)
{
    pthread_barrier_wait(&before_lock);
    pthread_mutex_lock(&table_lock); /* LEAK */
    pthread_mutex_unlock(&table_lock);
    return arg;
}

int main(void)
{
    pthread_t thread;

    pthread_barrier_init(&before_lock, NULL, 3);
    MUST(pthread_create(&thread, NULL, reload, NULL) == 0);
    pthread_join(thread, NULL);
    for (int i = 0; i < 2; i++) {
        MUST(pthread_create(&thread, NULL, look_up, NULL) == 0); /* SPAWN */
        pthread_detach(thread);
    }
    pthread_barrier_wait(&before_lock);
    wait_until_others_wait();
    puts("reloaded");
    return 0;
}
