/*
 * The readers-writer mutex. A waiting writer keeps later readers out; when one leaves, the readers
 * that came meanwhile go first. So neither side starves.
 *
 * Design notes
 *
 * `state` counts the readers, those that wait included; WRITER says that a writer is inside or
 * waits for the readers before it to leave, QUEUE that more writers wait. Without a writer a reader
 * comes and goes by one addition each; a writer alone by one compare-and-swap each, which is its
 * last access. All else is under `guard`: both queues, `leaving` (the readers that `pending`, the
 * first writer, waits for) and `permits`.
 *
 * A reader counts itself first and sees then that it has to wait. The writer that leaves lets in as
 * many as are counted: those in the queue, and by `permits` those that are on their way to it.
 */
#include <errno.h>

#include "runtime/sync/announce.h"

#define WRITER (UINT32_C(1) << 31)
#define QUEUE  (UINT32_C(1) << 30)
#define COUNT  (QUEUE - 1)

static inline bool change(struct weft_rwmutex *rw, uint32_t *from, uint32_t to, int order)
{
    return __atomic_compare_exchange_n(&rw->state, from, to, false, order, __ATOMIC_RELAXED);
}

/* With the guard held, which is given up. */
static void wait(struct weft_rwmutex *rw, struct weft__waiter *w, enum weft__wait why,
                 const void *caller)
{
    weft__will_wait(w->task, why, rw, false, caller);
    weft__park(w->task, &rw->guard);
}

/* ---- who goes on ---- */

/* Readers of a run that is over are counted no more. Under the guard, with a writer inside. */
static void forget_abandoned(struct weft_rwmutex *rw)
{
    struct weft__waiter *next;
    for (struct weft__waiter *w = rw->read_waiters.head; w; w = next) {
        next = w->next;
        if (!weft__abandoned(w->task))
            continue;
        weft__waitq_remove(&rw->read_waiters, w);
        __atomic_fetch_sub(&rw->state, 1, __ATOMIC_RELAXED);
    }
}

/* Lets in `count` readers: those that wait, for the list, and those that will come to. */
static struct weft_task *admit(struct weft_rwmutex *rw, uint32_t count)
{
    struct weft_task *list = NULL, **tail = &list;
    struct weft__waiter *w;
    while (count > 0 && (w = weft__waitq_pop(&rw->read_waiters))) {
        count--;
        w->task->next = NULL;
        *tail = w->task;
        tail = &w->task->next;
    }
    rw->permits += count;
    return list;
}

/* Under the guard, when the writer leaves. */
static struct weft_task *successors(struct weft_rwmutex *rw)
{
    forget_abandoned(rw);
    struct weft__waiter *w = weft__waitq_pop(&rw->write_waiters);
    if (!w) {
        uint32_t state = __atomic_fetch_and(&rw->state, COUNT, __ATOMIC_ACQ_REL);
        return admit(rw, state & COUNT);
    }
    if (!rw->write_waiters.head)
        __atomic_fetch_and(&rw->state, ~QUEUE, __ATOMIC_RELAXED);
    rw->leaving = __atomic_load_n(&rw->state, __ATOMIC_ACQUIRE) & COUNT;
    if (rw->leaving != 0) {
        rw->pending = w->task;
        return admit(rw, rw->leaving);
    }
    w->task->next = NULL;
    return w->task;
}

static void wake_all(struct weft_task *list, const void *object)
{
    while (list) {
        struct weft_task *t = list;
        list = t->next;
        weft__ready(t, object);
    }
}

/* ---- reading ---- */

__attribute__((noinline)) static void told_of_rlock(struct weft_rwmutex *rw, const void *caller)
{
    weft__acquired(LOITER_WAIT_RLOCK, rw, NULL, caller);
}

/* Counted already. */
__attribute__((noinline)) static void rlock_slow(struct weft_rwmutex *rw, const void *caller)
{
    struct weft__waiter w = {.task = weft__self_or_die()};
    weft__lock(&rw->guard);
    if (rw->permits > 0) {
        rw->permits--;
        weft__unlock(&rw->guard);
    } else {
        weft__waitq_push(&rw->read_waiters, &w);
        wait(rw, &w, WEFT__WAIT_RLOCK, caller);
    }
    told_of_rlock(rw, caller);
}

void weft_rwmutex_rlock(struct weft_rwmutex *rw)
{
    if (__builtin_expect(__atomic_fetch_add(&rw->state, 1, __ATOMIC_ACQUIRE) & WRITER, 0))
        rlock_slow(rw, WEFT_CALLER());
    else if (__builtin_expect(loiter_lock_acquired != NULL, 0))
        told_of_rlock(rw, WEFT_CALLER());
}

int weft_rwmutex_try_rlock(struct weft_rwmutex *rw)
{
    uint32_t state = __atomic_load_n(&rw->state, __ATOMIC_RELAXED);
    do {
        if (state & WRITER)
            return -EBUSY;
    } while (!change(rw, &state, state + 1, __ATOMIC_ACQUIRE));
    weft__acquired(LOITER_WAIT_RLOCK, rw, NULL, WEFT_CALLER());
    return 0;
}

/* A writer is there; or nobody was to leave. */
__attribute__((noinline)) static void runlock_slow(struct weft_rwmutex *rw, uint32_t before,
                                                   const void *caller)
{
    struct weft_task *list = NULL;
    if ((before & COUNT) == 0)
        weft__fatal_object("runlock of rwmutex that is not read-locked", rw, caller, NULL, NULL);
    weft__lock(&rw->guard);
    if (rw->leaving == 0)
        weft__fatal_object("runlock of rwmutex that is not read-locked", rw, caller, NULL, NULL);
    if (--rw->leaving == 0 && (list = rw->pending)) {
        rw->pending = NULL;
        list->next = NULL;
        if (weft__abandoned(list))
            list = successors(rw);
    }
    weft__unlock(&rw->guard);
    wake_all(list, rw);
}

static inline void runlock_by(struct weft_rwmutex *rw, const void *caller)
{
    uint32_t before = __atomic_fetch_sub(&rw->state, 1, __ATOMIC_RELEASE);
    if (__builtin_expect(before - 1 >= COUNT, 0)) /* WRITER is set, or it was 0 */
        runlock_slow(rw, before, caller);
}

__attribute__((noinline)) static void tell_and_runlock(struct weft_rwmutex *rw, const void *caller)
{
    weft__releasing(rw, NULL);
    runlock_by(rw, caller);
}

void weft_rwmutex_runlock(struct weft_rwmutex *rw)
{
    if (__builtin_expect(loiter_lock_released != NULL, 0))
        tell_and_runlock(rw, WEFT_CALLER());
    else
        runlock_by(rw, WEFT_CALLER());
}

/* ---- writing ---- */

__attribute__((noinline)) static void told_of_lock(struct weft_rwmutex *rw, const void *caller)
{
    weft__acquired(LOITER_WAIT_WLOCK, rw, &rw->owner, caller);
}

__attribute__((noinline)) static void lock_slow(struct weft_rwmutex *rw, const void *caller)
{
    struct weft__waiter w = {.task = weft__self_or_die()};
    weft__lock(&rw->guard);
    uint32_t state = __atomic_load_n(&rw->state, __ATOMIC_RELAXED);
    while (!change(rw, &state, state & WRITER ? state | QUEUE : state | WRITER, __ATOMIC_ACQUIRE)) {
    }
    if (state & WRITER) {
        weft__waitq_push(&rw->write_waiters, &w);
        wait(rw, &w, WEFT__WAIT_WLOCK, caller);
    } else if ((rw->leaving = state & COUNT) != 0) {
        rw->pending = w.task;
        wait(rw, &w, WEFT__WAIT_WLOCK, caller);
    } else {
        weft__unlock(&rw->guard);
    }
    told_of_lock(rw, caller);
}

void weft_rwmutex_lock(struct weft_rwmutex *rw)
{
    uint32_t free = 0;
    if (__builtin_expect(!change(rw, &free, WRITER, __ATOMIC_ACQUIRE), 0))
        lock_slow(rw, WEFT_CALLER());
    else if (__builtin_expect(loiter_lock_acquired != NULL, 0))
        told_of_lock(rw, WEFT_CALLER());
}

int weft_rwmutex_try_lock(struct weft_rwmutex *rw)
{
    uint32_t free = 0;
    if (!change(rw, &free, WRITER, __ATOMIC_ACQUIRE))
        return -EBUSY;
    weft__acquired(LOITER_WAIT_WLOCK, rw, &rw->owner, WEFT_CALLER());
    return 0;
}

__attribute__((noinline)) static void unlock_slow(struct weft_rwmutex *rw, uint32_t state,
                                                  const void *caller)
{
    if (!(state & WRITER))
        weft__fatal_object("unlock of unlocked rwmutex", rw, caller, NULL, NULL);
    weft__lock(&rw->guard);
    struct weft_task *list = successors(rw);
    weft__unlock(&rw->guard);
    wake_all(list, rw);
}

static inline void unlock_by(struct weft_rwmutex *rw, const void *caller)
{
    uint32_t state = WRITER;
    if (__builtin_expect(!change(rw, &state, 0, __ATOMIC_RELEASE), 0))
        unlock_slow(rw, state, caller);
}

__attribute__((noinline)) static void tell_and_unlock(struct weft_rwmutex *rw, const void *caller)
{
    weft__releasing(rw, &rw->owner);
    unlock_by(rw, caller);
}

void weft_rwmutex_unlock(struct weft_rwmutex *rw)
{
    if (__builtin_expect(loiter_lock_released != NULL, 0))
        tell_and_unlock(rw, WEFT_CALLER());
    else
        unlock_by(rw, WEFT_CALLER());
}
