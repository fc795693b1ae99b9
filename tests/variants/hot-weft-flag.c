/* hot-weft-flag.c - tasks ask again and again under a mutex whether they shall stop. */
#include "test-programs/common/sample.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <weft.h>

/* At least so many turns, and so many waits, however few processors run. */
#define TASKS 8
#define TURNS 1600000
#define WAITS 500

static struct weft_mutex lock;
static bool stopping;
static struct {
    _Alignas(64) atomic_long turns;
} done[TASKS];

static bool shall_stop(void)
{
    bool answer;

    weft_mutex_lock(&lock); /* LOCK */
    answer = stopping;
    weft_mutex_unlock(&lock);
    return answer;
}

static void work(void *arg)
{
    atomic_long *turns = arg;

    while (!shall_stop())
        atomic_fetch_add_explicit(turns, 1, memory_order_relaxed);
}

static bool is_enough(uint64_t slept)
{
    struct weft_stats now;
    long turns = 0;

    for (int i = 0; i < TASKS; i++)
        turns += atomic_load(&done[i].turns);
    MUST(weft_stats(&now) == 0);
    return turns >= TURNS && now.parks >= slept + WAITS;
}

static void test(void *arg)
{
    struct weft_waitgroup all = {0};
    uint64_t slept = 0;

    (void)arg;
    for (int i = 0; i < TASKS; i++)
        MUST(weft_waitgroup_go(&all, work, &done[i].turns) == 0);
    do
        weft_sleep(5 * WEFT_MS);
    while (!is_enough(++slept));
    weft_mutex_lock(&lock);
    stopping = true;
    weft_mutex_unlock(&lock);
    weft_waitgroup_wait(&all);
    puts("stopped");
}

int main(void)
{
    const struct weft_options options = {.workers = 4};

    return weft_run_with(&options, test, NULL) == 0 ? 0 : 1;
}
