/*
 * weft-locks-on-the-move.c - a lock that its task holds while other tasks run, and while it goes on
 * in another thread; one that another task gives up; several at once. Nobody waits for the outside
 * with a lock held, however often the tasks sleep.
 */
#include "test-programs/common/sample.h"

#include <stdio.h>
#include <weft.h>

#define TASKS 16
#define TURNS 60

static struct weft_mutex outer, locks[TASKS], handed[TASKS];
static struct weft_rwmutex shared;
static struct weft_chan *to_give;
static long count;

static void take(struct weft_mutex *lock)
{
    weft_mutex_lock(lock);
}

static void give(struct weft_mutex *lock)
{
    weft_mutex_unlock(lock);
}

static void hold_over_a_yield(int i)
{
    take(&locks[i]);
    for (int k = 0; k < 3; k++)
        weft_yield();
    weft_mutex_unlock(&locks[i]);
}

static void hold_two(int i)
{
    weft_mutex_lock(&outer);
    take(&locks[i]);
    weft_mutex_unlock(&outer); /* not the one that was taken last */
    give(&locks[i]);
    weft_rwmutex_rlock(&shared);
    weft_mutex_lock(&locks[i]);
    weft_rwmutex_runlock(&shared);
    weft_mutex_unlock(&locks[i]);
}

static void giver(void *arg)
{
    long i;
    (void)arg;
    while (weft_chan_recv(to_give, &i) == 0)
        weft_mutex_unlock(&handed[i]);
}

/* The channel has room: the sender runs on, until it wants the lock again. */
static void hand_over(long i)
{
    weft_mutex_lock(&handed[i]);
    weft_chan_send(to_give, &i);
    weft_mutex_lock(&handed[i]);
    weft_mutex_unlock(&handed[i]);
}

static void work(void *arg)
{
    const int i = (int)(long)arg;

    for (int turn = 0; turn < TURNS; turn++) {
        hold_over_a_yield(i);
        hold_two(i);
        hand_over(i);
        weft_sleep(WEFT_MS / 4);
        weft_rwmutex_lock(&shared);
        count++;
        weft_rwmutex_unlock(&shared);
        weft_sleep(WEFT_MS / 4);
    }
}

static void test(void *arg)
{
    struct weft_waitgroup all = {0}, givers = {0};

    (void)arg;
    to_give = weft_chan_new(sizeof(long), TASKS);
    for (int i = 0; i < 2; i++)
        MUST(weft_waitgroup_go(&givers, giver, NULL) == 0);
    for (long i = 0; i < TASKS; i++)
        MUST(weft_waitgroup_go(&all, work, (void *)i) == 0);
    weft_waitgroup_wait(&all);
    weft_chan_close(to_give);
    weft_waitgroup_wait(&givers);
    weft_chan_release(to_give);
    printf("%ld\n", count);
}

int main(void)
{
    struct weft_options four = {.workers = 4};

    return weft_run_with(&four, test, NULL) == 0 ? 0 : 1;
}
