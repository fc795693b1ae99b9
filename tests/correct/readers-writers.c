/*
 * readers-writers.c - many readers and a writer on one rwlock, with recursive and error-checking
 * mutexes, try and timed locks besides.
 */
#include "test-programs/common/sample.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>

static pthread_rwlock_t table = PTHREAD_RWLOCK_INITIALIZER;
static pthread_mutex_t recursive, checked;
static int value, reads;

static void *reader(void *arg)
{
    for (int i = 0; i < 200; i++) {
        pthread_rwlock_rdlock(&table);
        int seen = value;
        pthread_rwlock_unlock(&table);
        pthread_mutex_lock(&recursive);
        pthread_mutex_lock(&recursive);
        reads += seen >= 0;
        pthread_mutex_unlock(&recursive);
        pthread_mutex_unlock(&recursive);
    }
    return arg;
}

static void *writer(void *arg)
{
    for (int i = 0; i < 200; i++) {
        if (pthread_rwlock_trywrlock(&table) != 0)
            pthread_rwlock_wrlock(&table);
        value++;
        pthread_rwlock_unlock(&table);
    }
    return arg;
}

static void check_the_others(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    MUST(pthread_mutex_lock(&checked) == 0);
    MUST(pthread_mutex_lock(&checked) == EDEADLK);
    MUST(pthread_mutex_trylock(&checked) == EBUSY);
    MUST(pthread_mutex_unlock(&checked) == 0);
    MUST(pthread_mutex_unlock(&checked) == EPERM);
    pthread_rwlock_rdlock(&table);
    MUST(pthread_rwlock_trywrlock(&table) == EBUSY);
    MUST(pthread_rwlock_timedwrlock(&table, &now) != 0);
    pthread_rwlock_unlock(&table);
}

int main(void)
{
    pthread_mutexattr_t attributes;
    pthread_t threads[5];

    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&recursive, &attributes);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_init(&checked, &attributes);
    for (int i = 0; i < 4; i++)
        MUST(pthread_create(&threads[i], NULL, reader, NULL) == 0);
    MUST(pthread_create(&threads[4], NULL, writer, NULL) == 0);
    for (int i = 0; i < 5; i++)
        pthread_join(threads[i], NULL);
    check_the_others();
    printf("%d %d\n", value, reads);
    return 0;
}
