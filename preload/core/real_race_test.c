/*
 * real_race_test.c - threads look up the real functions and call them, under a race detector: what
 * one stores while others read is never a plain variable.
 *
 * The detector sees a race where nothing orders two accesses, whenever they happen. So the threads
 * take turns by relaxed loads and stores, which order nothing: what is seen does not depend on how
 * the machine runs them.
 */
#include <errno.h>
#include <sched.h>
#include <string.h>

#include "preload/core/real.h"

enum { THREADS = 4, ROUNDS = 20, CALLS = 5 };

static _Atomic int turn;

static void wait_for_turn(int number)
{
    while (atomic_load_explicit(&turn, memory_order_relaxed) < number)
        sched_yield();
}

static void next_turn(void)
{
    atomic_fetch_add_explicit(&turn, 1, memory_order_relaxed);
}

static int calls_are_good(void)
{
    char c;
    for (int i = 0; i < CALLS; i++) {
        if (PL_REAL(close)(-1) != -1 || PL_REAL(read)(-1, &c, 1) != -1 || !PL_HAVE(write) ||
            PL_REAL(dup)(-1) != -1 || errno != EBADF)
            return 0;
    }
    return 1;
}

/* One asks before anything is known, one looks all up, one finds what that one stored. */
static void *asks_early(void *arg)
{
    void *good = PL_HAVE(close) ? NULL : arg;
    next_turn();
    return good;
}

static void *looks_up(void *arg)
{
    wait_for_turn(1);
    int good = calls_are_good();
    next_turn();
    return good ? arg : NULL;
}

static void *finds(void *arg)
{
    wait_for_turn(2);
    return calls_are_good() ? arg : NULL;
}

/* All at once. */
static void *calls(void *arg)
{
    wait_for_turn(1);
    return calls_are_good() ? arg : NULL;
}

/* Nothing is known yet, as in a process that begins. */
static int round_of(void *(*const *start)(void *), int n)
{
    pthread_t t[THREADS];
    void *good;
    int bad = 0;
    memset(&pl_real, 0, sizeof pl_real);
    atomic_store(&pl_resolve_state, PL_UNRESOLVED);
    atomic_store(&turn, 0);
    for (int i = 0; i < n; i++)
        bad |= pthread_create(&t[i], NULL, start[i], &turn) != 0;
    if (start[0] == calls)
        next_turn();
    for (int i = 0; i < n && !bad; i++)
        bad |= pthread_join(t[i], &good) != 0 || good == NULL;
    return bad;
}

int main(void)
{
    void *(*const in_turn[])(void *) = {asks_early, looks_up, finds};
    void *(*const at_once[THREADS])(void *) = {calls, calls, calls, calls};
    int bad = 0;
    for (int round = 0; round < ROUNDS && !bad; round++)
        bad = round_of(in_turn, 3) || round_of(at_once, THREADS);
    return bad;
}
