/*
 * contend-futex.c - a table behind a lock of the program's own, by the kernel's futex call, as many
 * languages' standard libraries make theirs: whoever renders a page holds it all the time.
 */
#include "test-programs/common/sample.h"

#include <linux/futex.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#define THREADS 4
#define PAGES   150
#define WORDS   4096

static uint32_t lock; /* 0: free, 1: taken, 2: and somebody waits */
static volatile uint64_t table[WORDS];

static void take(void)
{
    uint32_t is = 0;
    if (__atomic_compare_exchange_n(&lock, &is, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        return;
    while (__atomic_exchange_n(&lock, 2, __ATOMIC_ACQUIRE) != 0)
        syscall(SYS_futex, &lock, FUTEX_WAIT_PRIVATE, 2, NULL, NULL, 0); /* LOCK */
}

static void leave(void)
{
    if (__atomic_exchange_n(&lock, 0, __ATOMIC_RELEASE) == 2)
        syscall(SYS_futex, &lock, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void render(void)
{
    take(); /* RENDER */
    for (int turn = 0; turn < 300; turn++)
        for (int i = 0; i < WORDS; i++)
            table[i] += (uint64_t)i;
    leave();
}

static void *serve(void *arg)
{
    for (int i = 0; i < PAGES; i++)
        render();
    return arg;
}

int main(void)
{
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        MUST(pthread_create(&threads[i], NULL, serve, NULL) == 0);
    for (int i = 0; i < THREADS; i++)
        MUST(pthread_join(threads[i], NULL) == 0);
    puts("rendered");
    return 0;
}
