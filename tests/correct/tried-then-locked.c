/*
 * tried-then-locked.c - locks as allocators take them: a try first, which counts those that are in
 * vain, and then the call that waits. Who had the lock has given it back by then, each time: in a
 * row of tries that fail none is without success.
 */
#include "test-programs/common/sample.h"

#include <pthread.h>
#include <stdio.h>
#include <threads.h>

#define TIMES 400000

static pthread_mutex_t arena = PTHREAD_MUTEX_INITIALIZER, order = PTHREAD_MUTEX_INITIALIZER,
                       late = PTHREAD_MUTEX_INITIALIZER, stats = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t table = PTHREAD_RWLOCK_INITIALIZER;
static mtx_t queue;
static long in_vain;

static void count(void)
{
    pthread_mutex_lock(&stats);
    in_vain++;
    pthread_mutex_unlock(&stats);
}

/* Each is called with its lock held, as if by another, which lets it go in the right moment. */
static void take(void)
{
    MUST(pthread_mutex_trylock(&arena) != 0);
    MUST(pthread_mutex_unlock(&arena) == 0);
    MUST(pthread_mutex_lock(&arena) == 0);
    count();
}

/* Two locks in their order, as the try of the second was in vain. */
static void take_in_order(void)
{
    MUST(pthread_mutex_trylock(&arena) != 0);
    MUST(pthread_mutex_unlock(&arena) == 0);
    MUST(pthread_mutex_lock(&order) == 0);
    MUST(pthread_mutex_lock(&arena) == 0);
    MUST(pthread_mutex_unlock(&order) == 0);
}

static void take_late(void)
{
    MUST(pthread_mutex_trylock(&late) != 0);
    MUST(pthread_mutex_unlock(&late) == 0);
    MUST(pthread_mutex_trylock(&late) == 0); /* the second try has it */
}

static void take_queue(void)
{
    MUST(mtx_trylock(&queue) == thrd_busy);
    MUST(mtx_unlock(&queue) == thrd_success);
    MUST(mtx_lock(&queue) == thrd_success);
}

static void take_table(void)
{
    MUST(pthread_rwlock_trywrlock(&table) != 0);
    MUST(pthread_rwlock_unlock(&table) == 0);
    MUST(pthread_rwlock_wrlock(&table) == 0);
}

static void *repeat(void *arg)
{
    void (*const *way)(void) = arg;
    for (int i = 0; i < TIMES; i++)
        (*way)();
    return NULL;
}

int main(void)
{
    void (*ways[])(void) = {take, take_in_order, take_late, take_queue, take_table};

    MUST(mtx_init(&queue, mtx_plain) == thrd_success && mtx_lock(&queue) == thrd_success);
    MUST(pthread_rwlock_wrlock(&table) == 0);
    MUST(pthread_mutex_lock(&late) == 0 && pthread_mutex_lock(&arena) == 0);
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++)
        repeat(&ways[i]);
    printf("taken each time, %ld after a try in vain\n", in_vain);
    return 0;
}
