/*
 * The mutex.
 *
 * Design notes
 *
 * `state` is a set of bits. Taking a free mutex and giving it up without waiters is one
 * compare-and-swap; all else happens under `guard`, which protects the queue and keeps WAITERS true
 * to it.
 *
 * Giving it up wakes the first waiter but does not give it the mutex: whoever is running takes it
 * first, which is much faster. WOKEN says that one is on its way and no other need be woken; it is
 * cleared by that one, under the guard, before it looks at the mutex again. A waiter that has been
 * overtaken for a millisecond sets STARVING: then nobody overtakes, and giving up hands the mutex
 * over, until a waiter finds that it waited less.
 */
#include <errno.h>

#include "runtime/sync/announce.h"

enum { LOCKED = 1, WAITERS = 2, WOKEN = 4, STARVING = 8 };
enum { SPIN_ROUNDS = 4, SPINS = 30 };
#define STARVING_NS WEFT_MS

/* Takes it if it is free and nobody starves. */
static bool take(struct weft_mutex *m)
{
    uint32_t state = __atomic_load_n(&m->state, __ATOMIC_RELAXED);
    return !(state & (LOCKED | STARVING)) &&
           __atomic_compare_exchange_n(&m->state, &state, state | LOCKED, false, __ATOMIC_ACQUIRE,
                                       __ATOMIC_RELAXED);
}

static bool spin(struct weft_mutex *m)
{
    if (weft_workers() < 2)
        return false;
    for (int round = 0; round < SPIN_ROUNDS; round++) {
        if (take(m))
            return true;
        if (__atomic_load_n(&m->state, __ATOMIC_RELAXED) & STARVING)
            return false;
        for (int i = 0; i < SPINS; i++)
            weft__relax();
    }
    return false;
}

/* Queues and parks; true if the mutex was handed over. */
static bool wait(struct weft_mutex *m, struct weft_task *t, struct weft__waiter *w, bool again,
                 const void *caller)
{
    weft__lock(&m->guard);
    if (again)
        __atomic_fetch_and(&m->state, ~(uint32_t)WOKEN, __ATOMIC_RELAXED);
    bool starving = again && weft_now() - w->since > STARVING_NS;
    uint32_t before = __atomic_fetch_or(
        &m->state, (uint32_t)(WAITERS | LOCKED | (starving ? STARVING : 0)), __ATOMIC_ACQUIRE);
    if (!(before & LOCKED)) {
        /* It was free: ours. Waiters are as many as before. */
        uint32_t drop = (m->waiters.head ? 0u : WAITERS) |
                        (starving || !m->waiters.head ? (uint32_t)STARVING : 0u);
        __atomic_fetch_and(&m->state, ~drop, __ATOMIC_RELAXED);
        weft__unlock(&m->guard);
        return true;
    }
    w->passed = false;
    if (again)
        weft__waitq_push_front(&m->waiters, w);
    else
        weft__waitq_push(&m->waiters, w);
    weft__will_wait(t, WEFT__WAIT_MUTEX, m, false, caller);
    weft__park(t, &m->guard);
    return w->passed;
}

static void lock_slow(struct weft_mutex *m, const void *caller)
{
    if (spin(m))
        return;
    struct weft_task *t = weft__self_or_die();
    struct weft__waiter w = {.task = t, .since = weft_now()};
    for (bool again = false; !wait(m, t, &w, again, caller); again = true) {
    }
}

static inline void lock_by(struct weft_mutex *m, const void *caller)
{
    uint32_t free = 0;
    if (!__atomic_compare_exchange_n(&m->state, &free, LOCKED, false, __ATOMIC_ACQUIRE,
                                     __ATOMIC_RELAXED) &&
        !take(m))
        lock_slow(m, caller);
    weft__acquired(LOITER_WAIT_MUTEX, m, &m->owner, caller);
}

void weft_mutex_lock(struct weft_mutex *m)
{
    lock_by(m, WEFT_CALLER());
}

void weft__mutex_lock(struct weft_mutex *m, const void *caller)
{
    lock_by(m, caller);
}

int weft_mutex_try_lock(struct weft_mutex *m)
{
    if (!take(m))
        return -EBUSY;
    weft__acquired(LOITER_WAIT_MUTEX, m, &m->owner, WEFT_CALLER());
    return 0;
}

static void unlock_slow(struct weft_mutex *m)
{
    if (!(__atomic_load_n(&m->state, __ATOMIC_RELAXED) & LOCKED))
        weft__fatal("unlock of unlocked mutex");
    weft__lock(&m->guard);
    uint32_t state = __atomic_load_n(&m->state, __ATOMIC_RELAXED);
    struct weft__waiter *w = NULL;
    if ((state & STARVING) || !(state & WOKEN))
        w = weft__waitq_pop(&m->waiters);
    bool hand_over = (state & STARVING) && w;
    uint32_t drop = m->waiters.head ? 0u : WAITERS | (hand_over ? 0u : STARVING);
    struct weft_task *wake = w ? w->task : NULL;
    if (hand_over) {
        w->passed = true;
        if (!m->waiters.head || weft_now() - w->since < STARVING_NS)
            drop |= STARVING;
        __atomic_fetch_and(&m->state, ~drop, __ATOMIC_RELEASE);
    } else {
        if (w)
            __atomic_fetch_or(&m->state, WOKEN, __ATOMIC_RELAXED);
        __atomic_fetch_and(&m->state, ~(drop | LOCKED), __ATOMIC_RELEASE);
    }
    weft__unlock(&m->guard);
    if (wake)
        weft__ready(wake, m);
}

void weft_mutex_unlock(struct weft_mutex *m)
{
    weft__releasing(m, &m->owner);
    uint32_t alone = LOCKED;
    if (!__atomic_compare_exchange_n(&m->state, &alone, 0, false, __ATOMIC_RELEASE,
                                     __ATOMIC_RELAXED))
        unlock_slow(m);
}
