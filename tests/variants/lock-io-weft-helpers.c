/*
 * lock-io-weft-helpers.c - a store that is locked by one helper and unlocked by another, and
 * written to a pipe by a third in between: neither has the lock's place and the write in one
 * function. The holder yields before, so that it may go on in another thread.
 */
#include "test-programs/common/sample.h"

#include <stdio.h>
#include <unistd.h>
#include <weft.h>

#define TASKS   4
#define REPORTS 40

struct store {
    struct weft_mutex lock;
    long entries;
    int to;
};

static struct store store;

__attribute__((noinline)) static void store_lock(struct store *s)
{
    weft_mutex_lock(&s->lock); /* LOCK */
}

__attribute__((noinline)) static void store_unlock(struct store *s)
{
    weft_mutex_unlock(&s->lock);
}

/* What a slow disk does. */
__attribute__((noinline)) static void store_write(const struct store *s)
{
    usleep(500); /* IO */
    (void)!write(s->to, &s->entries, sizeof s->entries);
}

static void report(void *arg)
{
    (void)arg;
    for (int i = 0; i < REPORTS; i++) {
        store_lock(&store);
        store.entries++;
        weft_yield();
        store_write(&store);
        store_unlock(&store);
        weft_yield();
    }
}

static void test(void *arg)
{
    struct weft_waitgroup all = {0};
    int ends[2];

    (void)arg;
    MUST(pipe(ends) == 0);
    store.to = ends[1];
    for (int i = 0; i < TASKS; i++)
        MUST(weft_waitgroup_go(&all, report, NULL) == 0);
    weft_waitgroup_wait(&all);
    printf("%ld\n", store.entries);
}

int main(void)
{
    struct weft_options two = {.workers = 2};

    return weft_run_with(&two, test, NULL) == 0 ? 0 : 1;
}
