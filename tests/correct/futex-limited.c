/*
 * futex-limited.c - at most two of four sleep at a time, by a word of memory that counts who may,
 * and then by one that counts who is inside, with the kernel's futex call: who waited for it wakes
 * it later, as with a lock, but two have it at once.
 */
#include "test-programs/common/sample.h"

#include <linux/futex.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#define THREADS 4
#define ROUNDS  25
#define MOST    2

struct limit {
    uint32_t word, full; /* nobody may enter while it is that */
    uint32_t enter;      /* what is added to it */
};
static struct limit left = {MOST, 0, UINT32_MAX}, inside = {0, MOST, 1};

static void enter(struct limit *l)
{
    for (;;) {
        uint32_t is = __atomic_load_n(&l->word, __ATOMIC_ACQUIRE);
        if (is == l->full)
            syscall(SYS_futex, &l->word, FUTEX_WAIT_PRIVATE, is, NULL, NULL, 0);
        else if (__atomic_compare_exchange_n(&l->word, &is, is + l->enter, 0, __ATOMIC_ACQUIRE,
                                             __ATOMIC_RELAXED))
            return;
    }
}

static void leave(struct limit *l)
{
    __atomic_fetch_sub(&l->word, l->enter, __ATOMIC_RELEASE);
    syscall(SYS_futex, &l->word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void *work(void *arg)
{
    struct limit *limits[] = {&left, &inside};
    for (int i = 0; i < 2 * ROUNDS; i++) {
        enter(limits[i / ROUNDS]);
        sleep_ms(4);
        leave(limits[i / ROUNDS]);
    }
    return arg;
}

int main(void)
{
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        MUST(pthread_create(&threads[i], NULL, work, NULL) == 0);
    for (int i = 0; i < THREADS; i++)
        MUST(pthread_join(threads[i], NULL) == 0);
    puts("worked");
    return 0;
}
