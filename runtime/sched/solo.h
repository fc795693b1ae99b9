/*
 * The locks of channels and of timers, which the worker of a run that has only one takes without an
 * atomic instruction, as long as no other thread ever took one.
 *
 * Design notes
 *
 * `who` is the worker that takes them plainly; SHARED, once any other thread came for one, for
 * good: then they are spin locks as all (lock.h); or NOBODY, when neither is so. Nobody takes a
 * lock by a swap who has not seen SHARED, and only weft__solo_share writes that: it takes `who`
 * back first, fences heavily (fence.h), and waits until the worker is out of its bracket. From
 * there on the worker has seen that, and the locks that it holds are seen to be held.
 *
 * The bracket is around the look at the lock and the store to it alone, not around what is done
 * under the lock. The worker is known by its record, so it may go from thread to thread.
 */
#ifndef WEFT_SCHED_SOLO_H
#define WEFT_SCHED_SOLO_H

#include "runtime/sched/sched.h"

enum { WEFT__SOLO_SHARED = 0, WEFT__SOLO_NOBODY = 1 };

struct weft__solo {
    uintptr_t who;
    bool inside; /* the bracket */
};
extern struct weft__solo weft__solo;

/* From now on all threads swap. */
void weft__solo_share(void);

/* The worker of a run that has only one begins, before any of its tasks runs; and ends. */
void weft__solo_begin(const struct weft__worker *w);
void weft__solo_end(const struct weft__worker *w);

/* In a child of fork, which has one thread. */
void weft__solo_forget(void);

/* By a worker, perhaps the one. False: the lock is taken, or another thread has to share it first.
 */
static inline bool weft__solo_try_plainly(uint32_t *lock, uintptr_t who)
{
    bool took = false;
    if (__builtin_expect(who != (uintptr_t)weft__worker(), 0))
        return false;
    __atomic_store_n(&weft__solo.inside, true, __ATOMIC_RELAXED);
    __asm__ volatile("" ::: "memory"); /* the other side fences heavily */
    if (__builtin_expect(__atomic_load_n(&weft__solo.who, __ATOMIC_RELAXED) == who, 1) &&
        __atomic_load_n(lock, __ATOMIC_ACQUIRE) == 0) {
        __atomic_store_n(lock, 1, __ATOMIC_RELAXED);
        took = true;
    }
    __atomic_store_n(&weft__solo.inside, false, __ATOMIC_RELEASE);
    return took;
}

/* Calls nothing. If it is false, the caller goes on to a path that takes the lock for certain. */
static inline bool weft__solo_try_quickly(uint32_t *lock)
{
    uintptr_t who = __atomic_load_n(&weft__solo.who, __ATOMIC_ACQUIRE);
    return who == WEFT__SOLO_SHARED ? weft__try_lock(lock) : weft__solo_try_plainly(lock, who);
}

bool weft__solo_try_again(uint32_t *lock);

/* False: it is taken. */
static inline bool weft__solo_try_lock(uint32_t *lock)
{
    return weft__solo_try_quickly(lock) || weft__solo_try_again(lock);
}

/* Given up by weft__unlock. */
static inline void weft__solo_lock(uint32_t *lock)
{
    if (__builtin_expect(!weft__solo_try_lock(lock), 0))
        weft__lock_slow(lock);
}

#endif
