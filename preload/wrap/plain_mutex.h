/*
 * plain_mutex.h - a mutex of the usual kind, taken and given back as the C library does it, without
 * a call.
 *
 * Of the usual kind: neither recursive nor checked, adaptive, robust, shared between processes,
 * with a priority protocol or elided. Its words mean what programs that initialise one statically
 * are compiled with: __lock is 0, 1 taken, 2 taken and waited for, __owner and __nusers tell who
 * has it. Whether this process's C library, and nobody else, stands behind the wrappers and does
 * the same is tried at the start; until then, and where it does not, the real functions are called.
 * Who has to wait or to wake somebody calls them too.
 */
#ifndef PRELOAD_WRAP_PLAIN_MUTEX_H
#define PRELOAD_WRAP_PLAIN_MUTEX_H

#include <pthread.h>
#include <stdint.h>

#include "preload/core/gate.h"
#include "preload/core/real.h"

/* In __kind: what is not of the usual kind. */
#define PL_MUTEX_UNUSUAL 0x1ffu

/* What a mutex of the usual kind has of those bits; more where the real functions are to be called
 * for all. */
extern PL_HIDDEN uint32_t pl_mutex_usual;

/* Are the real functions to be called for this one? */
PL_INLINE int pl_mutex_is_unusual(const pthread_mutex_t *mutex)
{
    const uint32_t kind = (uint32_t)__atomic_load_n(&mutex->__data.__kind, __ATOMIC_RELAXED);
    return (kind & PL_MUTEX_UNUSUAL) != __atomic_load_n(&pl_mutex_usual, __ATOMIC_RELAXED);
}

/* The same, or somebody has it, or it is broken: the C library ends a program that locks a free
 * mutex with an owner. */
PL_INLINE int pl_mutex_is_hindered(const pthread_mutex_t *mutex)
{
    const uint32_t kind = (uint32_t)__atomic_load_n(&mutex->__data.__kind, __ATOMIC_RELAXED);
    const uint32_t owner = (uint32_t)__atomic_load_n(&mutex->__data.__owner, __ATOMIC_RELAXED);
    return ((kind & PL_MUTEX_UNUSUAL) | owner) !=
           __atomic_load_n(&pl_mutex_usual, __ATOMIC_RELAXED);
}

/* `from` to `to`, or 0. As long as the process has one thread, the C library locks no bus. */
PL_INLINE int pl_mutex_turn(pthread_mutex_t *mutex, int from, int to)
{
    int *lock = &mutex->__data.__lock;
    if (!pl_is_single_threaded())
        return __atomic_compare_exchange_n(lock, &from, to, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
    if (__atomic_load_n(lock, __ATOMIC_RELAXED) != from)
        return 0;
    __atomic_store_n(lock, to, __ATOMIC_RELAXED);
    return 1;
}

PL_INLINE void pl_mutex_owned(pthread_mutex_t *mutex, uint32_t tid)
{
    mutex->__data.__owner = (int)tid;
    mutex->__data.__nusers++;
}

/* By the thread `tid`, where nothing is in the way. 0: somebody has it. */
PL_INLINE int pl_mutex_take(pthread_mutex_t *mutex, uint32_t tid)
{
    const int taken = pl_mutex_turn(mutex, 0, 1);
    if (__builtin_expect(taken, 1))
        pl_mutex_owned(mutex, tid);
    return taken;
}

/* By the thread `tid`, which has it. 0: it is as it was, since somebody waits for it. */
PL_INLINE int pl_mutex_give(pthread_mutex_t *mutex, uint32_t tid)
{
    mutex->__data.__owner = 0;
    mutex->__data.__nusers--;
    const int given = pl_mutex_turn(mutex, 1, 0);
    if (__builtin_expect(!given, 0))
        pl_mutex_owned(mutex, tid);
    return given;
}

/* Are these the C library's own functions, and is a mutex in each state as they leave it? */
PL_HIDDEN int pl_mutex_behaves(int (*lock)(pthread_mutex_t *), int (*trylock)(pthread_mutex_t *),
                               int (*unlock)(pthread_mutex_t *));

#endif
