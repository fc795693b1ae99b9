/*
 * lock.h - what the wrappers of locks and of waits inside the program share.
 *
 * Each function here takes the guard for itself and keeps errno.
 */
#ifndef PRELOAD_WRAP_LOCK_H
#define PRELOAD_WRAP_LOCK_H

#include <errno.h>

#include "preload/core/actor.h"
#include "preload/core/call.h"
#include "preload/core/contention.h"
#include "preload/core/object.h"
#include "preload/core/real.h"
#include "preload/core/shallow.h"
#include "preload/core/spin.h"
#include "preload/core/stack.h"
#include "preload/core/wait.h"
#include "preload/wrap/shared.h"

/* The current actor has the lock now, and it was not noted. */
static inline void pl_lock_acquired(enum el_wait_kind kind, const void *lock, struct pl_call call)
{
    struct pl_self *self = pl_enter();
    if (self == NULL)
        return;
    pl_spin_had(lock);
    pl_held_push(self->actor, kind, lock, pl_stack_often(self, call, NULL));
    pl_leave(self);
}

/* It was tried, and somebody has it. */
static inline void pl_lock_in_vain(const void *lock, struct pl_call call)
{
    pl_self_block.tried = lock;
    pl_spin(EL_SPIN_TRY, call);
}

/* What there is to do of a lock before it is taken, so that it is not held for it: its place. */
static inline uint32_t pl_lock_prepare(struct pl_call call)
{
    struct pl_self *self = pl_enter();
    if (self == NULL)
        return 0;
    uint32_t stack = pl_contention_place(self, call, NULL);
    pl_held_prepare(self->actor);
    pl_leave(self);
    return stack;
}

/* Nothing is in the way of self->quick, and `stack` is the place, or 0. `near`: by what it was
 * known, for pl_lock_noted_again. */
PL_INLINE int pl_lock_noted_at(struct pl_self *self, enum el_wait_kind kind, const void *lock,
                               uint32_t stack, struct pl_near *near, uintptr_t pc, uintptr_t sp)
{
    struct pl_actor *actor = self->quick;
    if (__builtin_expect(stack == 0, 0))
        return 0;
    self->guard = 1;
    atomic_signal_fence(memory_order_seq_cst);
    const struct pl_held_lock held = {.lock = lock,
                                      .pc = pc,
                                      .sp = sp,
                                      .near = near,
                                      .stack = stack,
                                      .kind = (uint16_t)kind,
                                      .unsure = 1};
    int noted = pl_held_push_simply(actor, &held);
    atomic_signal_fence(memory_order_seq_cst);
    self->guard = 0;
    return noted;
}

/*
 * The usual case without a call, and without a pl_enter of its own each: the lock comes to the top
 * of the actor's list before it is tried, so that nothing of this is done while it is held, and
 * goes from there. 0: nothing was done, the longer way has to be gone. Nothing is in the way for
 * most programs: recording, no signal handler within our own code, no task, a known place.
 */
enum pl_near_which { PL_NEAR_USUAL, PL_NEAR_OTHER };
PL_INLINE int pl_lock_noted_by(enum pl_near_which which, enum el_wait_kind kind, const void *lock,
                               uintptr_t pc, uintptr_t sp)
{
    struct pl_self *self = &pl_self_block;
    if (__builtin_expect(!pl_is_on() || self->quick == &pl_actor_none || self->guard != 0, 0))
        return 0;
    struct pl_near *near = which == PL_NEAR_OTHER ? pl_near_among(self, self->stack_hi, pc, sp)
                                                  : pl_near_on(self, self->stack_hi, pc, sp);
    if (near == NULL)
        return 0;
    uint32_t stack = pl_near_use(near);
    if (kind != EL_WAIT_MUTEX || self->stack_hi == 0)
        near = &pl_near_none;
    pl_near_link(self->quick->held_end->near, near);
    return pl_lock_noted_at(self, kind, lock, stack, near, pc, sp);
}

PL_INLINE int pl_lock_noted(enum el_wait_kind kind, const void *lock, uintptr_t pc, uintptr_t sp)
{
    return pl_lock_noted_by(PL_NEAR_USUAL, kind, lock, pc, sp);
}

/*
 * The shortest way: a mutex is taken where one is likely to be taken after the one that came to be
 * held last after as many others, be it the same place or the one that followed it the last time.
 * Few branches: of those a processor takes two at a time, of all else six.
 */
PL_INLINE int pl_lock_noted_again(const void *mutex, uintptr_t pc, uintptr_t sp)
{
    struct pl_self *self = &pl_self_block;
    struct pl_actor *actor = self->quick;
    if (__builtin_expect(pl_hindered(self), 0))
        return 0;
    struct pl_held_lock *at = actor->held_end;
    struct pl_near *near = pl_near_after(at->near);
    const uintptr_t other =
        (near->pc ^ pc) | (near->place ^ (uint32_t)(self->stack_hi - sp)) | pl_held_any_strays();
    if (__builtin_expect(other != 0, 0) ||
        __builtin_expect(pl_near_differs(near, (const uintptr_t *)sp) != 0, 0) ||
        !pl_near_lasts(near))
        return 0;
    __builtin_prefetch(pl_near_after(near));
    if (at->near != near)
        pl_held_place(actor, at, near, near->id, pc, sp);
    pl_held_push_again(actor, at, mutex);
    /* A signal's handler may have held a lock meanwhile: what is written there is that one's. */
    atomic_signal_fence(memory_order_seq_cst);
    const int again = at->near == near;
    if (__builtin_expect(!again, 0)) {
        at->near = &pl_near_none;
        pl_held_pop(actor, at);
    }
    return again;
}

/* The same where a place is reached on several ways. */
static inline int pl_lock_noted_other(enum el_wait_kind kind, const void *lock, struct pl_call call)
{
    struct pl_self *self = &pl_self_block;
    if (!pl_is_on() || self->quick == &pl_actor_none || self->guard != 0)
        return 0;
    return pl_lock_noted_at(self, kind, lock,
                            pl_stack_near_other(self, self->stack_hi, call.pc, call.sp),
                            &pl_near_none, call.pc, call.sp);
}

/* 0: nothing was done. Needs no guard: a handler that comes in between leaves the list as it found
 * it. */
__attribute__((always_inline)) static inline int pl_lock_dropped(const void *lock)
{
    struct pl_actor *actor = pl_self_block.quick;
    return pl_is_on() && pl_held_remove_simply(actor, lock);
}

/* The same of one that lies deeper in the list. Nothing is kept back where `quick` is somebody. */
static inline int pl_lock_dropped_among(const void *lock)
{
    struct pl_self *self = pl_enter_quickly();
    if (self == NULL)
        return 0;
    const int found = self->quick != &pl_actor_none && pl_held_remove(self->quick, lock, NULL);
    pl_leave_quickly(self);
    return found;
}

/* The current actor has the lock now, taken at a place that pl_lock_prepare gave. */
static inline void pl_lock_taken(enum el_wait_kind kind, const void *lock, uint32_t stack,
                                 struct pl_call call)
{
    struct pl_self *self = pl_enter();
    if (self == NULL)
        return;
    struct pl_held_lock held = {
        .lock = lock, .kind = (uint16_t)kind, .stack = stack, .near = &pl_near_none};
    if (pl_shallow_leaf(self, stack) != NULL) {
        held.unsure = 1;
        held.pc = call.pc;
        held.sp = call.sp;
    }
    pl_spin_had(lock);
    pl_held_push_lock(self->actor, &held);
    pl_contention_taken(self, lock, stack, 1);
    pl_leave(self);
}

/* The current actor is about to give the lock back: it must be told before the real call, behind
 * which the lock may be anything. *was is for pl_lock_kept. 1 when it was known to be held. */
static inline int pl_lock_releasing(const void *lock, struct pl_held_lock *was)
{
    struct pl_self *self = pl_enter();
    if (self == NULL)
        return 0;
    if (self->pending & PL_PENDING_WAIT)
        pl_wait_settle(self);
    pl_contention_released(self, lock);
    int found = pl_held_remove(self->actor, lock, was);
    if (!found)
        pl_held_foreign(lock);
    pl_leave(self);
    return found;
}

/* It has the lock again, as it had it before: the real call refused, or a condition gave it back.
 */
static inline void pl_lock_kept(const struct pl_held_lock *was)
{
    struct pl_self *self = pl_enter();
    if (self == NULL)
        return;
    pl_held_push(self->actor, was->kind, was->lock, was->stack);
    pl_leave(self);
}

/* The current actor ends waits for this object; cheap when nobody ever waited for it. Before a
 * record begins nobody has. */
static inline void pl_object_wakes(const void *object, struct pl_call call)
{
    struct pl_self *self = pl_is_on() ? pl_enter() : NULL;
    if (self == NULL)
        return;
    struct pl_object *o = pl_object_recent(self, (uintptr_t)object);
    if (o != NULL)
        pl_object_woken_at(self, o, call.pc, call.sp, call.fp);
    pl_leave(self);
}

static inline void pl_object_made(enum el_object_kind kind, const void *object, uint64_t capacity,
                                  struct pl_call call)
{
    struct pl_self *self = pl_enter();
    if (self == NULL)
        return;
    pl_object_created(self, kind, (uintptr_t)object, capacity, pl_stack_or_shallow(self, call));
    pl_leave(self);
}

/* Whatever was known of this address is over. */
static inline void pl_object_over(const void *object)
{
    struct pl_self *self = pl_is_on() ? pl_enter() : NULL;
    if (self == NULL)
        return;
    pl_object_gone((uintptr_t)object);
    pl_leave(self);
}

/* What the real calls refuse before they look at the lock or semaphore. */
static inline int pl_refuses_clock(clockid_t clock)
{
    return clock != CLOCK_MONOTONIC && clock != CLOCK_REALTIME;
}

static inline int pl_refuses_time(const struct timespec *at)
{
    return at->tv_nsec < 0 || at->tv_nsec >= 1000000000;
}

/* What was noted is not so: the lock was not to be had. Gives its place. */
__attribute__((cold)) static inline uint32_t pl_lock_unnoted(const void *lock)
{
    struct pl_held_lock was;
    return pl_lock_releasing(lock, &was) ? was.stack : 0;
}

/*
 * The call `name` with parameters PARAMS, named ARGS, that acquires a lock. TRY and REAL are calls
 * of real functions that give the wrapper's result; BUSY is what TRY gives when somebody else has
 * the lock. Trying first tells an uncontended lock, which costs no clock, from a contended one.
 * REFUSED: the real call refuses its arguments before it looks at the lock. All but the usual case
 * is in a function of its own, so that this one has a small frame.
 */
#define PL_BARE(...) __VA_ARGS__
#define PL_LOCK_SLOWLY(name, PARAMS, REFUSED, kind, lock, timed, TRY, BUSY, REAL, GOT)             \
    PL_SECOND_WAY int name##_slowly(PL_BARE PARAMS, uint32_t place)                                \
    {                                                                                              \
        if (!pl_is_ready() || (REFUSED))                                                           \
            return REAL;                                                                           \
        struct pl_call call = PL_CALL();                                                           \
        int result = (BUSY);                                                                       \
        if (place == 0 && pl_lock_noted_other(kind, lock, call)) {                                 \
            result = TRY;                                                                          \
            if (__builtin_expect(GOT(result), 1))                                                  \
                return result;                                                                     \
            place = pl_lock_unnoted(lock);                                                         \
            if (result != (BUSY))                                                                  \
                return result;                                                                     \
        }                                                                                          \
        if (place == 0) {                                                                          \
            place = pl_lock_prepare(call);                                                         \
            result = TRY;                                                                          \
        }                                                                                          \
        if (result == (BUSY)) {                                                                    \
            struct pl_wait w;                                                                      \
            pl_wait_begin(&w, kind, (uintptr_t)(lock), timed, call);                               \
            pl_wait_shares(&w, (const void *)(uintptr_t)(lock));                                   \
            result = REAL;                                                                         \
            pl_wait_end(&w, result);                                                               \
        }                                                                                          \
        if (GOT(result))                                                                           \
            pl_lock_taken(kind, lock, place, call);                                                \
        return result;                                                                             \
    }
#define PL_LOCK_CALL(name, PARAMS, ARGS, REFUSED, kind, lock, timed, TRY, BUSY, REAL, GOT)         \
    PL_LOCK_SLOWLY(name, PARAMS, REFUSED, kind, lock, timed, TRY, BUSY, REAL, GOT)                 \
    PL_EXPORT PL_FRAMELESS int name PARAMS                                                         \
    {                                                                                              \
        if (!(REFUSED) && __builtin_expect(pl_lock_noted(kind, lock, PL_PC(), PL_SP()), 1)) {      \
            int result = TRY;                                                                      \
            if (__builtin_expect(GOT(result), 1))                                                  \
                return result;                                                                     \
            uint32_t place = pl_lock_unnoted(lock);                                                \
            return result == (BUSY) ? name##_slowly(PL_BARE ARGS, place) : result;                 \
        }                                                                                          \
        return name##_slowly(PL_BARE ARGS, 0);                                                     \
    }

/* The body of a call that only tries. */
#define PL_TRY_BODY(kind, lock, REAL, GOT)                                                         \
    int result = REAL;                                                                             \
    if (!GOT(result))                                                                              \
        pl_lock_in_vain(lock, PL_CALL());                                                          \
    else if (__builtin_expect(!pl_lock_noted(kind, lock, PL_PC(), PL_SP()), 0))                    \
        pl_lock_acquired(kind, lock, PL_CALL());                                                   \
    return result;

/*
 * A call that gives a lock back. `waited` tells whether somebody may wait for it. PLAIN: nobody
 * does, and the real call of who holds it cannot fail.
 */
#define PL_UNLOCK_SLOWLY(name, PARAMS, lock, waited, REAL)                                         \
    PL_SECOND_WAY int name##_slowly PARAMS                                                         \
    {                                                                                              \
        if (!pl_is_on())                                                                           \
            return REAL;                                                                           \
        struct pl_held_lock was;                                                                   \
        int known = pl_lock_releasing(lock, &was);                                                 \
        if (waited)                                                                                \
            pl_object_wakes(lock, PL_CALL());                                                      \
        int result = REAL;                                                                         \
        if (result != 0 && known)                                                                  \
            pl_lock_kept(&was);                                                                    \
        pl_wait_flush();                                                                           \
        return result;                                                                             \
    }
#define PL_UNLOCK_CALL(name, PARAMS, ARGS, lock, PLAIN, waited, REAL)                              \
    PL_UNLOCK_SLOWLY(name, PARAMS, lock, waited, REAL)                                             \
    PL_EXPORT PL_FRAMELESS int name PARAMS                                                         \
    {                                                                                              \
        if (__builtin_expect((PLAIN) && pl_lock_dropped(lock), 1))                                 \
            return PL_LOAD(name) ARGS;                                                             \
        return name##_slowly ARGS;                                                                 \
    }

/* A lock whose owner died is acquired too: the caller is to mend it. */
#define PL_GOT_PTHREAD(result) ((result) == 0 || (result) == EOWNERDEAD)
#define PL_GOT_C11(result)     ((result) == thrd_success)

#endif
