/*
 * The spin lock inside every object: taken for some tens of instructions, never over a switch other
 * than the one that gives it up (see weft__park). Who holds one makes nobody wait in the kernel,
 * so a waiter gives up its turn only when the holder lost its CPU.
 */
#ifndef WEFT_SCHED_LOCK_H
#define WEFT_SCHED_LOCK_H

#include <stdbool.h>
#include <stdint.h>

static inline void weft__relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static inline bool weft__try_lock(uint32_t *lock)
{
    uint32_t free = 0;
    return __atomic_compare_exchange_n(lock, &free, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

void weft__lock_slow(uint32_t *lock);

static inline void weft__lock(uint32_t *lock)
{
    if (__builtin_expect(!weft__try_lock(lock), 0))
        weft__lock_slow(lock);
}

void weft__unlocked_slow(const uint32_t *lock);

/* Sees all that was done under the lock so far. Others may take it at once. */
static inline void weft__wait_until_unlocked(const uint32_t *lock)
{
    if (__builtin_expect(__atomic_load_n(lock, __ATOMIC_ACQUIRE) != 0, 0))
        weft__unlocked_slow(lock);
}

static inline void weft__unlock(uint32_t *lock)
{
    __atomic_store_n(lock, 0, __ATOMIC_RELEASE);
}

/* Sleeping and waking on a word, for OS threads. `ns` < 0: no limit. False: the time was over. */
bool weft__futex_wait(uint32_t *word, uint32_t expected, int64_t ns);
void weft__futex_wake(uint32_t *word, int count);

#endif
