/*
 * leak-rwlock.c - a reader ends without giving up its read lock; the writer waits for ever.
 */
#include "test-programs/common/sample.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>

static pthread_rwlock_t routes = PTHREAD_RWLOCK_INITIALIZER;
static sem_t before_lock;

static void *count_routes(void *arg)
{
    pthread_rwlock_rdlock(&routes); /* HELD */
    return arg;
}

static void *add_route(void *arg)
{
    sem_post(&before_lock);
    pthread_rwlock_wrlock(&routes); /* LEAK */
    pthread_rwlock_unlock(&routes);
    return arg;
}

int main(void)
{
    pthread_t thread;

    sem_init(&before_lock, 0, 0);
    MUST(pthread_create(&thread, NULL, count_routes, NULL) == 0);
    pthread_join(thread, NULL);
    MUST(pthread_create(&thread, NULL, add_route, NULL) == 0); /* SPAWN */
    pthread_detach(thread);
    sem_wait(&before_lock);
    wait_until_others_wait();
    puts("routed");
    return 0;
}
