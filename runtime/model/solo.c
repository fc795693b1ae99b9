/*
 * Locks that one worker takes plainly until another thread comes: never are two in one. The code
 * under test is solo.h and solo.c.
 */
#include <assert.h>
#include <loiter.h>
#include <sched.h>
#include <sys/socket.h>
#include <weft.h>

#include "runtime/model/explore.h"

#define sched_yield() ex_yield()
/* The code under test: */
#include "runtime/sched/solo.c"
#undef sched_yield

enum { LOCKS = 2 };

static struct weft__worker worker;
static uint32_t locks[LOCKS];
static int holders[LOCKS], done, expected;
static unsigned worker_thread; /* plus one */

/* ---- the rest of the runtime ---- */

__thread struct weft__worker *weft__current_worker;
bool weft__fences_full;

static void bind_worker(void)
{
    weft__current_worker = ex.current + 1 == worker_thread ? &worker : NULL;
}

struct weft_task *weft__bound_self(void)
{
    return NULL;
}

static bool is_free(void *lock)
{
    return *(uint32_t *)lock == 0;
}

void weft__lock_slow(uint32_t *lock)
{
    do
        ex_wait(is_free, lock, -1);
    while (!weft__try_lock(lock));
}

void weft__full_fence(void)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void weft__heavy_fence(void)
{
    ex_drain_all();
}

/* ---- the scenarios ---- */

static void hold(unsigned which)
{
    EX_CHECK(holders[which]++ == 0 && "two hold one lock");
    ex_yield();
    holders[which]--;
    weft__unlock(&locks[which]);
    done++;
}

static void take(unsigned which)
{
    weft__solo_lock(&locks[which]);
    hold(which);
}

static void try_to(unsigned which)
{
    if (weft__solo_try_lock(&locks[which]))
        hold(which);
    else
        done++;
}

static void take_twice(void *arg)
{
    (void)arg;
    take(0);
    take(0);
}

static void take_both(void *arg)
{
    (void)arg;
    take(1);
    take(0);
}

static void try_one(void *arg)
{
    (void)arg;
    try_to(0);
    try_to(0);
}

/* The run ends, and its thread goes on as a plain one. */
static void take_and_end(void *arg)
{
    take(0);
    weft__solo_end(&worker);
    take_both(arg);
}

/* Whoever ends the run is another. */
static void end_it(void *arg)
{
    weft__solo_end(&worker);
    take_both(arg);
}

static void begin(int count)
{
    weft__solo.who = (uintptr_t)&worker;
    weft__solo.inside = false;
    change = 0;
    memset(locks, 0, sizeof locks);
    memset(holders, 0, sizeof holders);
    done = 0;
    expected = count;
    worker_thread = 1;
    weft__current_worker = NULL;
    ex.switched = bind_worker;
}

static void one_comes(void)
{
    begin(4);
    ex_thread(take_twice, NULL);
    ex_thread(take_both, NULL);
}

static void two_come(void)
{
    begin(6);
    ex_thread(take_twice, NULL);
    ex_thread(take_both, NULL);
    ex_thread(take_twice, NULL);
}

static void tries(void)
{
    begin(6);
    ex_thread(try_one, NULL);
    ex_thread(take_twice, NULL);
    ex_thread(try_one, NULL);
}

static void ends(void)
{
    begin(5);
    ex_thread(take_and_end, NULL);
    ex_thread(take_both, NULL);
}

static void ended_by_another(void)
{
    begin(6);
    ex_thread(take_twice, NULL);
    ex_thread(end_it, NULL);
    ex_thread(take_twice, NULL);
}

static void end(void)
{
    EX_CHECK(done == expected);
    for (unsigned i = 0; i < LOCKS; i++)
        EX_CHECK(locks[i] == 0);
}

static void never_stuck(void)
{
    ex_fail("somebody waits for ever");
}

int main(int argc, char **argv)
{
    static const struct ex_scenario all[] = {
        {"one_comes", one_comes, never_stuck, end, 4},
        {"two_come", two_come, never_stuck, end, 3},
        {"tries", tries, never_stuck, end, 3},
        {"ends", ends, never_stuck, end, 4},
        {"ended_by_another", ended_by_another, never_stuck, end, 3},
    };
    return ex_main(argc, argv, all, sizeof all / sizeof *all);
}
