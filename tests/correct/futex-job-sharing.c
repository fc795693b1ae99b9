/*
 * futex-job-sharing.c - workers wait for jobs by one word of memory, with the kernel's futex call,
 * and give each other further jobs by the same word: who waited for it wakes it later, as with a
 * lock, but all work at once. And two threads that pass a ball, by one word with two values.
 */
#include "test-programs/common/sample.h"

#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#define WORKERS 4
#define ROUNDS  40
#define DEPTH   4
#define PASSES  2000

static _Atomic uint32_t jobs, ball;
static atomic_int done, finished;

static void wait_while(_Atomic uint32_t *word, uint32_t value)
{
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void wake(_Atomic uint32_t *word, int n)
{
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, n, NULL, NULL, 0);
}

static void give(uint32_t n)
{
    atomic_fetch_add(&jobs, n);
    wake(&jobs, (int)n);
}

static void take(void)
{
    for (;;) {
        uint32_t left = atomic_load(&jobs);
        if (left == 0)
            wait_while(&jobs, 0);
        else if (atomic_compare_exchange_strong(&jobs, &left, left - 1))
            return;
    }
}

/* Some time away from the processor, as in a call: the others work meanwhile. */
static void *worker(void *arg)
{
    while (!atomic_load(&finished)) {
        take();
        sleep_ms(1);
        if (atomic_fetch_add(&done, 1) % DEPTH != DEPTH - 1)
            give(1);
    }
    return arg;
}

static void share_jobs(void)
{
    pthread_t threads[WORKERS];
    for (int i = 0; i < WORKERS; i++)
        MUST(pthread_create(&threads[i], NULL, worker, NULL) == 0);
    for (int round = 1; round <= ROUNDS; round++) {
        give(2);
        while (atomic_load(&done) < round * 2)
            sleep_ms(1);
    }
    atomic_store(&finished, 1);
    give(WORKERS);
    for (int i = 0; i < WORKERS; i++)
        MUST(pthread_join(threads[i], NULL) == 0);
}

static void *player(void *arg)
{
    const uint32_t mine = (uint32_t)(uintptr_t)arg;
    for (int i = 0; i < PASSES; i++) {
        while (atomic_load(&ball) != mine)
            wait_while(&ball, !mine);
        atomic_store(&ball, !mine);
        wake(&ball, 1);
    }
    return NULL;
}

static void pass_ball(void)
{
    pthread_t threads[2];
    for (uintptr_t i = 0; i < 2; i++)
        MUST(pthread_create(&threads[i], NULL, player, (void *)i) == 0);
    for (int i = 0; i < 2; i++)
        MUST(pthread_join(threads[i], NULL) == 0);
}

int main(void)
{
    share_jobs();
    pass_ball();
    puts("done");
    return 0;
}
