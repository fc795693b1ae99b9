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

/* The functions of the library by other names: by its own each would call itself. */
WEFT_API void weft__mutex_lock_call(struct weft_mutex *mutex) __asm__("weft_mutex_lock");
WEFT_API void weft__mutex_unlock_call(struct weft_mutex *mutex) __asm__("weft_mutex_unlock");
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
    uint32_t locked = 1;
    if (weft__watched || !__atomic_compare_exchange_n(&mutex->state, &locked, 0, 0,
                                                      __ATOMIC_RELEASE, __ATOMIC_RELAXED))
        weft__mutex_unlock_call(mutex);
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
