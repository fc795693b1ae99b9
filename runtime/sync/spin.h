/*
 * What the locks have in common: how long one looks before one queues, and whether a waiter that
 * was woken to try for itself is still on its way.
 */
#ifndef WEFT_SYNC_SPIN_H
#define WEFT_SYNC_SPIN_H

#include "runtime/sched/ring.h"
#include "runtime/sched/sched.h"

enum { WEFT__SPIN_ROUNDS = 4, WEFT__SPINS = 30 };

/* A waiter that has been overtaken for so long is overtaken no more. */
#define WEFT__STARVING_NS WEFT_MS

/* Spinning pays if the holder runs, and nobody else could run here meanwhile. */
static inline bool weft__may_spin(void)
{
    struct weft__worker *w = weft__worker();
    return w && w->run->workers > 1 && weft__ring_is_empty(w) &&
           !__atomic_load_n(&w->next, __ATOMIC_RELAXED);
}

/* Until none of the bits of `mask` is set in *word, for what is left of `rounds`. Not while one of
 * `never` is set. */
static inline bool weft__seen_clear(const uint32_t *word, uint32_t mask, uint32_t never,
                                    int *rounds)
{
    for (; *rounds > 0; --*rounds) {
        uint32_t value = __atomic_load_n(word, __ATOMIC_RELAXED);
        if (!(value & mask))
            return true;
        if ((value & never) || !weft__may_spin())
            return false;
        for (int i = 0; i < WEFT__SPINS; i++)
            weft__relax();
    }
    return false;
}

/* `woken` is the epoch of the waiter that has been woken and was not here since, or 0. One of a run
 * that is over never comes. */
static inline bool weft__one_is_coming(uint32_t woken)
{
    uint32_t open = __atomic_load_n(&weft__open_epoch, __ATOMIC_RELAXED);
    return woken && (woken == WEFT__BOUND || (woken & ~WEFT__BOUND) == open);
}

#endif
