/*
 * weft_inline.h - what is most frequent of some functions of weft.h, without a call. weft.h
 * includes it. Each is also a function of the library, with the same name: it does the rest.
 */
#ifndef WEFT_INLINE_H
#define WEFT_INLINE_H

#include <weft.h>

#ifdef __cplusplus
extern "C" {
#endif

/* artificial: a debugger and Loiter see the program's call, not the inside of it. */
#define WEFT__INLINE extern inline __attribute__((gnu_inline, artificial))

/* This place of the program, for the line about a lock that is given up twice. */
#if defined(__x86_64__)
#define WEFT__ADDRESS "leaq 0(%%rip), %0"
#elif defined(__aarch64__)
#define WEFT__ADDRESS "adr %0, ."
#endif
#define WEFT__HERE()                                                                               \
    __extension__({                                                                                \
        const void *here_;                                                                         \
        __asm__ volatile(WEFT__ADDRESS : "=r"(here_));                                             \
        here_;                                                                                     \
    })

/* Leaves this place in a word that others may write as well, and gives the one that was there. */
#define WEFT__PASS(word)                                                                           \
    __extension__({                                                                                \
        const void *before_ = __atomic_load_n(&(word), __ATOMIC_RELAXED);                          \
        __atomic_store_n(&(word), WEFT__HERE(), __ATOMIC_RELAXED);                                 \
        before_;                                                                                   \
    })

/* The functions of the library by other names: by its own each would call itself. */
WEFT_API void weft__mutex_lock_call(struct weft_mutex *mutex) __asm__("weft_mutex_lock");
WEFT_API void weft__mutex_unlock_call(struct weft_mutex *mutex) __asm__("weft_mutex_unlock");
WEFT_API void weft__rwmutex_rlock_call(struct weft_rwmutex *rw) __asm__("weft_rwmutex_rlock");
WEFT_API void weft__rwmutex_runlock_call(struct weft_rwmutex *rw) __asm__("weft_rwmutex_runlock");
WEFT_API void weft__rwmutex_lock_call(struct weft_rwmutex *rw) __asm__("weft_rwmutex_lock");
WEFT_API void weft__rwmutex_unlock_call(struct weft_rwmutex *rw) __asm__("weft_rwmutex_unlock");
WEFT_API void weft__waitgroup_wait_call(struct weft_waitgroup *wg) __asm__("weft_waitgroup_wait");
WEFT_API void weft__once_do_call(struct weft_once *once, void (*fn)(void *arg),
                                 void *arg) __asm__("weft_once_do");

WEFT__INLINE void weft_mutex_lock(struct weft_mutex *mutex)
{
    uint32_t unlocked = 0;
    if (weft__watched || !__atomic_compare_exchange_n(&mutex->state, &unlocked, 1, 0,
                                                      __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        weft__mutex_lock_call(mutex);
}

WEFT__INLINE void weft_mutex_unlock(struct weft_mutex *mutex)
{
    if (weft__watched) {
        weft__mutex_unlock_call(mutex);
        return;
    }
    const void *before = mutex->unlocked_at;
    mutex->unlocked_at = WEFT__HERE();
    if (__atomic_sub_fetch(&mutex->state, 1, __ATOMIC_RELEASE) != 0)
        weft__mutex_unlock_wake(mutex, before);
}

/* The highest bit of the state: a writer; below: readers, and a bit that comes only with a writer.
 */
WEFT__INLINE void weft_rwmutex_rlock(struct weft_rwmutex *rw)
{
    if (weft__watched) {
        weft__rwmutex_rlock_call(rw);
        return;
    }
    uint32_t before = __atomic_fetch_add(&rw->state, 1, __ATOMIC_ACQUIRE);
    if (before >> 31)
        weft__rwmutex_rlock_wait(rw, before);
}

WEFT__INLINE void weft_rwmutex_runlock(struct weft_rwmutex *rw)
{
    if (weft__watched) {
        weft__rwmutex_runlock_call(rw);
        return;
    }
    uint32_t before = __atomic_fetch_sub(&rw->state, 1, __ATOMIC_RELEASE);
    if ((int32_t)before <= 0)
        weft__rwmutex_runlock_wake(rw, before);
}

WEFT__INLINE void weft_rwmutex_lock(struct weft_rwmutex *rw)
{
    uint32_t unlocked = 0, locked = UINT32_C(1) << 31;
    if (weft__watched || !__atomic_compare_exchange_n(&rw->state, &unlocked, locked, 0,
                                                      __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        weft__rwmutex_lock_call(rw);
}

WEFT__INLINE void weft_rwmutex_unlock(struct weft_rwmutex *rw)
{
    uint32_t locked = UINT32_C(1) << 31;
    if (weft__watched) {
        weft__rwmutex_unlock_call(rw);
        return;
    }
    const void *before = rw->unlocked_at;
    rw->unlocked_at = WEFT__HERE();
    if (!__atomic_compare_exchange_n(&rw->state, &locked, 0, 0, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
        weft__rwmutex_unlock_wake(rw, before);
}

/* The state: the count above, below it how many wait. */
WEFT__INLINE void weft_waitgroup_add(struct weft_waitgroup *wg, int64_t delta)
{
    uint64_t add = (uint64_t)delta << 32;
    const void *done_before = delta < 0 ? WEFT__PASS(wg->done_at) : 0;
    uint64_t state = __atomic_add_fetch(&wg->state, add, __ATOMIC_ACQ_REL);
    if ((int64_t)state < 0 || (uint32_t)state != 0 || delta != (int32_t)delta ||
        (delta > 0 && weft__watched))
        weft__waitgroup_added(wg, delta, state, done_before);
}

WEFT__INLINE void weft_waitgroup_done(struct weft_waitgroup *wg)
{
    weft_waitgroup_add(wg, -1);
}

WEFT__INLINE void weft_waitgroup_wait(struct weft_waitgroup *wg)
{
    if (weft__watched || __atomic_load_n(&wg->state, __ATOMIC_ACQUIRE) >> 32 != 0)
        weft__waitgroup_wait_call(wg);
}

/* Read anew each time: a task may go on on another thread. */
#if defined(__x86_64__)
#define WEFT__SCOPES()                                                                             \
    __extension__({                                                                                \
        struct weft_deferred **scopes_;                                                            \
        __asm__ volatile("movq weft__scopes@gottpoff(%%rip), %0\n\t"                               \
                         "movq %%fs:(%0), %0"                                                      \
                         : "=r"(scopes_));                                                         \
        scopes_;                                                                                   \
    })
#else
#define WEFT__SCOPES() ((struct weft_deferred **)0)
#endif

/* The function is filled in last and read before all else, so that the compiler sees which it is
 * and can put that in place, if nothing between can have changed it. */
WEFT__INLINE void weft_defer_enter(struct weft_deferred *deferred, void (*fn)(void *arg), void *arg)
{
    struct weft_deferred **scopes = WEFT__SCOPES();
    if (__builtin_expect(scopes != 0, 1)) {
        deferred->list = scopes;
        deferred->below = *scopes;
        *scopes = deferred;
    } else {
        weft__defer_link(deferred);
    }
    deferred->fn = fn;
    deferred->arg = arg;
}

WEFT__INLINE void weft_defer_leave(struct weft_deferred *deferred)
{
    void (*fn)(void *) = deferred->fn;
    void *arg = deferred->arg;
    if (deferred->list)
        *deferred->list = deferred->below;
    fn(arg);
}

WEFT__INLINE void weft_once_do(struct weft_once *once, void (*fn)(void *arg), void *arg)
{
    if (!__atomic_load_n(&once->done, __ATOMIC_ACQUIRE))
        weft__once_do_call(once, fn, arg);
}

#ifdef __cplusplus
}
#endif
#endif
