/*
 * own-locks.c - a lock of the program's own, by the kernel's futex call, is taken with a mutex
 * held, always in this order: both are locks, and that others wait for the one while its holder
 * waits for the other is how locks nest.
 */
#include "test-programs/common/sample.h"

#include <linux/futex.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

static uint32_t device;        /* 0: free, 1: taken, 2: and somebody waits */
static uint32_t taken, wanted; /* events */
static pthread_mutex_t table = PTHREAD_MUTEX_INITIALIZER;
static long writes;

static void futex(uint32_t *word, int op, uint32_t value)
{
    syscall(SYS_futex, word, op | FUTEX_PRIVATE_FLAG, value, NULL, NULL, 0);
}

static void own_lock(uint32_t *lock)
{
    uint32_t free = 0;
    if (__atomic_compare_exchange_n(lock, &free, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        return;
    while (__atomic_exchange_n(lock, 2, __ATOMIC_ACQUIRE) != 0)
        futex(lock, FUTEX_WAIT, 2);
}

static void own_unlock(uint32_t *lock)
{
    if (__atomic_exchange_n(lock, 0, __ATOMIC_RELEASE) == 2)
        futex(lock, FUTEX_WAKE, 1);
}

static void say(uint32_t *event)
{
    __atomic_store_n(event, 1, __ATOMIC_RELEASE);
    futex(event, FUTEX_WAKE, INT32_MAX);
}

static void wait_for(uint32_t *event)
{
    while (__atomic_load_n(event, __ATOMIC_ACQUIRE) == 0)
        futex(event, FUTEX_WAIT, 0);
}

/* The device is used for some time after somebody came for it with the table in its hands. */
static void *use_device(void *arg)
{
    own_lock(&device);
    say(&taken);
    while (__atomic_load_n(&wanted, __ATOMIC_ACQUIRE) == 0)
        ;
    for (long began = now_ms(); now_ms() - began < 15;)
        writes++;
    own_unlock(&device);
    return arg;
}

static void *use_both(void *arg)
{
    wait_for(&taken);
    pthread_mutex_lock(&table);
    say(&wanted);
    own_lock(&device);
    own_unlock(&device);
    pthread_mutex_unlock(&table);
    return arg;
}

static void *use_table(void *arg)
{
    wait_for(&wanted);
    pthread_mutex_lock(&table);
    pthread_mutex_unlock(&table);
    return arg;
}

int main(void)
{
    static void *(*const parts[])(void *) = {use_device, use_both, use_table};

    for (int i = 0; i < 6; i++) {
        pthread_t threads[3];
        taken = wanted = 0;
        for (int k = 0; k < 3; k++)
            MUST(pthread_create(&threads[k], NULL, parts[k], NULL) == 0);
        for (int k = 0; k < 3; k++)
            MUST(pthread_join(threads[k], NULL) == 0);
    }
    puts(writes > 0 ? "used" : "not used");
    return 0;
}
