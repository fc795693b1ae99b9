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

/* This place of the program: for the line about a lock that is given up twice, and for who is told
 * of locks. It lies behind an instruction, as what a call returns to does. */
#if defined(__x86_64__)
#define WEFT__ADDRESS "leaq 1f(%%rip), %0\n1:"
#elif defined(__aarch64__)
#define WEFT__ADDRESS "adr %0, 1f\n1:"
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
WEFT_API void weft__mutex_unlock_call(struct weft_mutex *mutex) __asm__("weft_mutex_unlock");
WEFT_API void weft__rwmutex_runlock_call(struct weft_rwmutex *rw) __asm__("weft_rwmutex_runlock");
WEFT_API void weft__rwmutex_unlock_call(struct weft_rwmutex *rw) __asm__("weft_rwmutex_unlock");
WEFT_API void weft__waitgroup_wait_call(struct weft_waitgroup *wg) __asm__("weft_waitgroup_wait");
WEFT_API void weft__once_do_call(struct weft_once *once, void (*fn)(void *arg),
                                 void *arg) __asm__("weft_once_do");

/*
 * A lock that was free is not told of by a call, while somebody listens: it is noted where he
 * looks, and so is that it was given up. Each worker has room for two; where both are taken, and on
 * other threads, there is the call. A note tells the place by an address within the function, and
 * by that function's frame and return address.
 *
 * `weft__watched`, if not 0, is where, from the thread pointer on, a thread has the address of its
 * worker's note, or of one that nobody may use. It is read each time: a task goes on in other
 * threads.
 */
struct weft__noted { /* as struct loiter_noted */
    uintptr_t lock;  /* with what it is to the task in its lowest bits; 0: none, 1: none ever */
    const void *pc, *frame, *caller;
};
struct weft__note { /* as struct loiter_note */
    int32_t left;   /* so many more may be noted until one is told by a call */
    int32_t later;  /* what was left as the second place was filled in */
    struct weft__noted at[2];
};

enum weft__noted_as { WEFT__NOTED_LOCK = 0, WEFT__NOTED_READ = 1, WEFT__NOTED_WRITE = 2 };

#if defined(__x86_64__)
#define WEFT__THREAD_WORD "movq %%fs:(%1), %0"
#elif defined(__aarch64__)
#define WEFT__THREAD_WORD "mrs %0, tpidr_el0\n\tldr %0, [%0, %1]"
#endif
#define WEFT__MY_NOTE(watched)                                                                     \
    __extension__({                                                                                \
        struct weft__note *note_;                                                                  \
        __asm__ volatile(WEFT__THREAD_WORD : "=&r"(note_) : "r"(watched) : "memory");              \
        note_;                                                                                     \
    })

/* Keeps two ways through the code apart: a branch between the two places of a note is guessed right
 * nearly always, where an address that is computed would have to be waited for. The first place is
 * written straight on: jumps that are taken are what costs most of this, where another program
 * keeps the other half of the core busy. Where nobody listens there is one over all of it. */
#define WEFT__WAY(number) __asm__ volatile("" : : "i"(number))

/* All but the lock is written before it is taken: there the stores cost next to nothing, where
 * behind it the next atomic waits for them. `take`: an expression, true if the lock is had. */
#define WEFT__TAKE_AT(place, take, object, as, here)                                               \
    __extension__({                                                                                \
        volatile struct weft__noted *at_ = &(place);                                               \
        at_->pc = (here);                                                                          \
        at_->frame = __builtin_dwarf_cfa();                                                        \
        at_->caller = __builtin_return_address(0);                                                 \
        int had_ = (take);                                                                         \
        if (__builtin_expect(had_, 1))                                                             \
            at_->lock = (uintptr_t)(object) + (as);                                                \
        had_;                                                                                      \
    })

/* True: it is had, and noted. `counted` is set to 1 if it was taken off what is left. */
#define WEFT__TAKE_NOTED(watched, take, object, as, here, counted)                                 \
    __extension__({                                                                                \
        struct weft__note *n_ = WEFT__MY_NOTE(watched);                                            \
        int noted_ = 0;                                                                            \
        if (__builtin_expect(n_->at[0].lock == 0, 1)) {                                            \
            (counted) = 1;                                                                         \
            if (__builtin_expect(--n_->left >= 0, 1))                                              \
                noted_ = WEFT__TAKE_AT(n_->at[0], take, object, as, here);                         \
            WEFT__WAY(0);                                                                          \
        } else if (n_->at[1].lock == 0) {                                                          \
            (counted) = 1;                                                                         \
            if (__builtin_expect(--n_->left >= 0, 1)) {                                            \
                n_->later = n_->left;                                                              \
                noted_ = WEFT__TAKE_AT(n_->at[1], take, object, as, here);                         \
            }                                                                                      \
            WEFT__WAY(1);                                                                          \
        }                                                                                          \
        noted_;                                                                                    \
    })

/* Sets a lock's word to 0 if it is that still; a signal handler that takes the note over comes
 * before it or after it. Otherwise it is 0 already. */
#if defined(__x86_64__)
#define WEFT__CLEAR(word, value)                                                                   \
    __extension__({                                                                                \
        int was_;                                                                                  \
        __asm__ volatile("subq %2, %1" : "=@ccz"(was_), "+m"(word) : "r"(value) : "memory");       \
        if (__builtin_expect(!was_, 0))                                                            \
            *(volatile uintptr_t *)&(word) = 0;                                                    \
        was_;                                                                                      \
    })
#else
#define WEFT__CLEAR(word, value)                                                                   \
    __extension__({                                                                                \
        uintptr_t value_ = (value);                                                                \
        __atomic_compare_exchange_n(&(word), &value_, (uintptr_t)0, 0, __ATOMIC_RELAXED,           \
                                    __ATOMIC_RELAXED);                                             \
    })
#endif

/* False: it was not noted, or a signal handler has taken the note over in between. */
#define WEFT__UNNOTE(watched, object, as)                                                          \
    __extension__({                                                                                \
        struct weft__note *n_ = WEFT__MY_NOTE(watched);                                            \
        uintptr_t word_ = (uintptr_t)(object) + (as);                                              \
        int cleared_ = 0;                                                                          \
        if (__builtin_expect(n_->at[0].lock == word_, 1)) {                                        \
            cleared_ = WEFT__CLEAR(n_->at[0].lock, word_);                                         \
            WEFT__WAY(0);                                                                          \
        } else if (n_->at[1].lock == word_) {                                                      \
            cleared_ = WEFT__CLEAR(n_->at[1].lock, word_);                                         \
            WEFT__WAY(1);                                                                          \
        }                                                                                          \
        cleared_;                                                                                  \
    })

/* The place, for the functions that tell of it. */
#define WEFT__PLACE(here) here, __builtin_dwarf_cfa(), __builtin_return_address(0)

#define WEFT__IF_FREE(lock, taken)                                                                 \
    __extension__({                                                                                \
        uint32_t free_ = 0;                                                                        \
        __atomic_compare_exchange_n(&(lock)->state, &free_, taken, 0, __ATOMIC_ACQUIRE,            \
                                    __ATOMIC_RELAXED);                                             \
    })

WEFT__INLINE void weft_mutex_lock(struct weft_mutex *mutex)
{
    int counted = 0, done;
    intptr_t watched = weft__watched;
    const void *here = WEFT__HERE(); /* one for both: a place is known by it */
    if (__builtin_expect(watched != 0, 1))
        done = WEFT__TAKE_NOTED(watched, WEFT__IF_FREE(mutex, 1), mutex, WEFT__NOTED_LOCK, here,
                                counted);
    else
        done = WEFT__IF_FREE(mutex, 1);
    if (__builtin_expect(!done, 0))
        weft__mutex_lock_told(mutex, counted, WEFT__PLACE(here));
}

WEFT__INLINE void weft_mutex_unlock(struct weft_mutex *mutex)
{
    intptr_t watched = weft__watched;
    if (__builtin_expect(watched != 0, 1) && !WEFT__UNNOTE(watched, mutex, WEFT__NOTED_LOCK)) {
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
#define WEFT__UNTRIED UINT32_MAX /* there are never that many */
#define WEFT__IF_NO_WRITER(rw, before)                                                             \
    (((before) = __atomic_fetch_add(&(rw)->state, 1, __ATOMIC_ACQUIRE)) >> 31 == 0)

WEFT__INLINE void weft_rwmutex_rlock(struct weft_rwmutex *rw)
{
    int counted = 0, done;
    uint32_t before = WEFT__UNTRIED;
    intptr_t watched = weft__watched;
    const void *here = WEFT__HERE(); /* one for both: a place is known by it */
    if (__builtin_expect(watched != 0, 1))
        done = WEFT__TAKE_NOTED(watched, WEFT__IF_NO_WRITER(rw, before), rw, WEFT__NOTED_READ, here,
                                counted);
    else
        done = WEFT__IF_NO_WRITER(rw, before);
    if (__builtin_expect(!done, 0))
        weft__rwmutex_rlock_told(rw, before, counted, WEFT__PLACE(here));
}

WEFT__INLINE void weft_rwmutex_runlock(struct weft_rwmutex *rw)
{
    intptr_t watched = weft__watched;
    if (__builtin_expect(watched != 0, 1) && !WEFT__UNNOTE(watched, rw, WEFT__NOTED_READ)) {
        weft__rwmutex_runlock_call(rw);
        return;
    }
    uint32_t before = __atomic_fetch_sub(&rw->state, 1, __ATOMIC_RELEASE);
    if ((int32_t)before <= 0)
        weft__rwmutex_runlock_wake(rw, before);
}

WEFT__INLINE void weft_rwmutex_lock(struct weft_rwmutex *rw)
{
    int counted = 0, done;
    uint32_t locked = UINT32_C(1) << 31;
    intptr_t watched = weft__watched;
    const void *here = WEFT__HERE(); /* one for both: a place is known by it */
    if (__builtin_expect(watched != 0, 1))
        done = WEFT__TAKE_NOTED(watched, WEFT__IF_FREE(rw, locked), rw, WEFT__NOTED_WRITE, here,
                                counted);
    else
        done = WEFT__IF_FREE(rw, locked);
    if (__builtin_expect(!done, 0))
        weft__rwmutex_lock_told(rw, counted, WEFT__PLACE(here));
}

WEFT__INLINE void weft_rwmutex_unlock(struct weft_rwmutex *rw)
{
    uint32_t locked = UINT32_C(1) << 31;
    intptr_t watched = weft__watched;
    if (__builtin_expect(watched != 0, 1) && !WEFT__UNNOTE(watched, rw, WEFT__NOTED_WRITE)) {
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
    if ((int64_t)state < 0 || (uint32_t)state != 0 || delta != (int32_t)delta)
        weft__waitgroup_added(wg, delta, state, done_before);
    else if (delta > 0 && state == add && weft__watched)
        weft__waitgroup_begun(wg);
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
