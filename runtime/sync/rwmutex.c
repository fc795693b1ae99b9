/*
 * The readers-writer mutex. A writer that waits for readers keeps later readers out; whoever has
 * waited for a millisecond is the next. So neither side starves.
 *
 * Design notes
 *
 * `state` counts the readers; WRITER says that a writer is inside or waits for the readers before
 * it to leave, QUEUE that it has somebody to wake when it leaves. Without a writer a reader comes
 * and goes by one addition each; a writer alone by one compare-and-swap each, which is its last
 * access. All else is under `guard`: both queues, `leaving` (the readers that `pending`, the first
 * writer, waits for), `permits` and `woken`.
 *
 * A reader counts itself first and sees then that it has to wait. By `permits` the writer that
 * leaves lets in those that are on their way to the queue. One in the queue is not counted: it
 * would be inside before it runs, and the next writer would wait for all that runs before it, and
 * everybody else for that writer. So, as with the mutex, who leaves wakes one that shall try, and
 * wakes no more while that one is on its way (`woken`): QUEUE is not set then. A reader that has
 * come in this way wakes others, a writer when it leaves. Only those that have waited for a
 * millisecond get the mutex handed over.
 *
 * The others are as many as workers could run beside that reader; the last of them wakes more in
 * its turn, after the last reader a writer. All at once would make each worker busy for long with
 * tasks that get in each other's way, where writers come often: to change a word that another
 * processor has just changed takes as long as ten turns of one task alone.
 *
 * Without WRITER there is no QUEUE: one waits because of a writer. So readers that leave have
 * nobody to wake but `pending`.
 */
#include <errno.h>

#include "runtime/sync/announce.h"
#include "runtime/sync/spin.h"

#define WRITER (UINT32_C(1) << 31)
#define QUEUE  (UINT32_C(1) << 30)
#define COUNT  (QUEUE - 1)

static inline bool change(struct weft_rwmutex *rw, uint32_t *from, uint32_t to, int order)
{
    return __atomic_compare_exchange_n(&rw->state, from, to, false, order, __ATOMIC_RELAXED);
}

/* ---- who goes on; all under the guard ---- */

static struct weft__waiter *first_of(struct weft_waitq *q)
{
    struct weft__waiter *w;
    while ((w = q->head) && weft__abandoned(w->task))
        weft__waitq_remove(q, w);
    return w;
}

static bool starves(struct weft_waitq *q)
{
    struct weft__waiter *w = first_of(q);
    return w && weft_now() - w->since > WEFT__STARVING_NS;
}

/* As a list. */
static struct weft_task *alone(struct weft__waiter *w)
{
    w->task->next = NULL;
    return w->task;
}

/* The first in the queue shall come and try. */
static struct weft_task *wake_first(struct weft_rwmutex *rw, struct weft_waitq *q)
{
    struct weft__waiter *w = weft__waitq_pop(q);
    if (!w)
        return NULL;
    w->chosen = true;
    rw->woken = w->task->epoch;
    return alone(w);
}

static struct weft_task *wake_next(struct weft_rwmutex *rw)
{
    bool reader = first_of(&rw->read_waiters);
    return wake_first(rw, reader ? &rw->read_waiters : &rw->write_waiters);
}

/* So many readers in the queue, the first of them first; and one that shall see to the rest: a
 * reader, else a writer, which shall say that it waits. */
static struct weft_task *followers(struct weft_rwmutex *rw, uint32_t most, bool passed,
                                   uint32_t *count)
{
    struct weft_task *list = NULL, **tail = &list;
    struct weft__waiter *w;
    for (*count = 0; *count < most && (w = weft__waitq_pop(&rw->read_waiters)); ++*count) {
        w->passed = passed;
        *tail = alone(w);
        tail = &w->task->next;
    }
    *tail = weft__one_is_coming(rw->woken) ? NULL : wake_next(rw);
    return list;
}

/* A reader has come in after a wait: those that could run beside it. */
static struct weft_task *companions(struct weft_rwmutex *rw)
{
    const struct weft__worker *w = weft__worker();
    uint32_t count, others = w ? w->run->workers - 1 : 1;
    if (weft__one_is_coming(rw->woken))
        return NULL;
    return followers(rw, others > 1 ? others - 1 : 0, false, &count);
}

static uint32_t queue_bit(struct weft_rwmutex *rw)
{
    bool waits = first_of(&rw->read_waiters) || first_of(&rw->write_waiters);
    return waits && !weft__one_is_coming(rw->woken) ? QUEUE : 0;
}

static struct weft_task *hand_to_readers(struct weft_rwmutex *rw)
{
    uint32_t count;
    struct weft_task *list = followers(rw, UINT32_MAX, true, &count);
    uint32_t state = __atomic_load_n(&rw->state, __ATOMIC_RELAXED);
    while (!change(rw, &state, (state & COUNT) + count, __ATOMIC_RELEASE)) {
    }
    rw->permits += state & COUNT;
    return list;
}

static struct weft_task *hand_to_writer(struct weft_rwmutex *rw)
{
    struct weft__waiter *w = weft__waitq_pop(&rw->write_waiters);
    w->passed = true;
    uint32_t queue = queue_bit(rw), state = __atomic_load_n(&rw->state, __ATOMIC_RELAXED);
    while (!change(rw, &state, WRITER | queue | (state & COUNT), __ATOMIC_ACQ_REL)) {
    }
    uint32_t count = state & COUNT;
    rw->permits += count;
    __atomic_store_n(&rw->leaving, count, __ATOMIC_RELAXED);
    if (count == 0)
        return alone(w);
    rw->pending = w->task;
    return NULL;
}

/* Nobody is let in but the readers on their way. */
static struct weft_task *give_up(struct weft_rwmutex *rw)
{
    struct weft_task *list = NULL;
    if (!weft__one_is_coming(rw->woken))
        list = wake_next(rw);
    rw->permits += __atomic_fetch_and(&rw->state, COUNT, __ATOMIC_ACQ_REL) & COUNT;
    return list;
}

/* The writer leaves. There is somebody who still has to take the guard, in the queue or on the way
 * to or from it: so the memory stays until it is given up. */
static void leave(struct weft_rwmutex *rw)
{
    weft__lock(&rw->guard);
    struct weft_task *list = starves(&rw->read_waiters)    ? hand_to_readers(rw)
                             : starves(&rw->write_waiters) ? hand_to_writer(rw)
                                                           : give_up(rw);
    weft__unlock(&rw->guard);
    weft__ready_all(list, rw);
}

/* With the guard held, which is given up. */
static void wait(struct weft_rwmutex *rw, struct weft__waiter *w, enum weft__wait why,
                 const struct weft__place *at)
{
    weft__will_lock(w->task, why, rw, at);
    weft__park(w->task, &rw->guard);
}

/* Under the guard. The one that was chosen to come is here. */
static void arrive(struct weft_rwmutex *rw, struct weft__waiter *w)
{
    if (w->chosen)
        rw->woken = 0;
    w->chosen = false;
}

/* With the guard held: until the waiter is woken. True: the mutex was handed over. */
static bool queue(struct weft_rwmutex *rw, struct weft_waitq *q, struct weft__waiter *w, bool again,
                  enum weft__wait why, const struct weft__place *at)
{
    if (again)
        weft__waitq_push_front(q, w);
    else
        weft__waitq_push(q, w);
    wait(rw, w, why, at);
    return w->passed;
}

/* ---- reading ---- */

__attribute__((noinline)) static void told_of_rlock(struct weft_rwmutex *rw,
                                                    const struct weft__place *at)
{
    weft__acquired(LOITER_WAIT_RLOCK, rw, NULL, at);
}

/* Counted, with what was there before. Under the guard: whether it is in; else it is counted no
 * more, and whoever gives up the mutex will look at the queue. */
static bool enter(struct weft_rwmutex *rw, uint32_t before)
{
    if (!(before & WRITER))
        return true;
    if (rw->permits > 0) {
        rw->permits--;
        return true;
    }
    uint32_t ask = weft__one_is_coming(rw->woken) ? 0 : QUEUE;
    uint32_t state = __atomic_load_n(&rw->state, __ATOMIC_RELAXED);
    while (!change(rw, &state, (state - 1) | ask, __ATOMIC_RELAXED)) {
    }
    return false;
}

__attribute__((noinline)) static void rlock_slow(struct weft_rwmutex *rw, uint32_t before,
                                                 const struct weft__place *at)
{
    struct weft__waiter w = {.task = weft__self_or_die()};
    bool again = false;
    weft__lock(&rw->guard);
    while (!enter(rw, before)) {
        if (!again)
            w.since = weft_now();
        if (queue(rw, &rw->read_waiters, &w, again, WEFT__WAIT_RLOCK, at)) {
            told_of_rlock(rw, at);
            return;
        }
        again = true;
        before = __atomic_fetch_add(&rw->state, 1, __ATOMIC_ACQUIRE);
        weft__lock(&rw->guard);
        arrive(rw, &w);
    }
    struct weft_task *list = again ? companions(rw) : NULL;
    weft__unlock(&rw->guard);
    weft__ready_all_tail(list, rw);
    told_of_rlock(rw, at);
}

void weft_rwmutex_rlock(struct weft_rwmutex *rw)
{
    uint32_t before = __atomic_fetch_add(&rw->state, 1, __ATOMIC_ACQUIRE);
    if (__builtin_expect(before & WRITER, 0))
        rlock_slow(rw, before, WEFT_CALLED_FROM(WEFT_CALLER()));
    else if (__builtin_expect(loiter_lock_acquired != NULL, 0))
        told_of_rlock(rw, WEFT_CALLED_FROM(WEFT_CALLER()));
}

void weft__rwmutex_rlock_wait(struct weft_rwmutex *rw, uint32_t before)
{
    rlock_slow(rw, before, WEFT_CALLED_FROM(WEFT_CALLER()));
}

void weft__rwmutex_rlock_told(struct weft_rwmutex *rw, uint32_t before, int counted, const void *pc,
                              const void *frame, const void *caller)
{
    const struct weft__place *at = WEFT_INLINED_AT(pc, frame, caller);
    weft__uncount(counted);
    if (before == WEFT__UNTRIED)
        before = __atomic_fetch_add(&rw->state, 1, __ATOMIC_ACQUIRE);
    if (before & WRITER)
        rlock_slow(rw, before, at);
    else
        told_of_rlock(rw, at);
}

int weft_rwmutex_try_rlock(struct weft_rwmutex *rw)
{
    uint32_t state = __atomic_load_n(&rw->state, __ATOMIC_RELAXED);
    do {
        if (state & WRITER)
            return -EBUSY;
    } while (!change(rw, &state, state + 1, __ATOMIC_ACQUIRE));
    told_of_rlock(rw, WEFT_CALLED_FROM(WEFT_CALLER()));
    return 0;
}

/* `before_at`: where a reader left before this call, if that is known: readers come and go by
 * nothing but an addition, between which a store would take as long as a half of one. */
_Noreturn static void runlocked_twice(const struct weft_rwmutex *rw, const void *caller,
                                      const void *before_at)
{
    weft__fatal_object("runlock of rwmutex that is not read-locked", rw, caller,
                       before_at ? "read-unlocked before" : "unlocked by a writer",
                       before_at ? before_at : rw->unlocked_at);
}

/* A writer is there; or nobody was to leave. */
__attribute__((noinline)) static void runlock_slow(struct weft_rwmutex *rw, uint32_t before,
                                                   const void *caller, const void *before_at)
{
    struct weft_task *next = NULL;
    if ((before & COUNT) == 0)
        runlocked_twice(rw, caller, before_at);
    weft__lock(&rw->guard);
    if (rw->leaving == 0)
        runlocked_twice(rw, caller, before_at);
    __atomic_store_n(&rw->leaving, rw->leaving - 1, __ATOMIC_RELAXED);
    if (rw->leaving == 0) {
        next = rw->pending;
        rw->pending = NULL;
    }
    weft__unlock(&rw->guard);
    if (next && weft__abandoned(next))
        leave(rw); /* in its stead */
    else if (next)
        weft__ready(next, rw);
}

void weft__rwmutex_runlock_wake(struct weft_rwmutex *rw, uint32_t before)
{
    runlock_slow(rw, before, WEFT_CALLER(), rw->runlocked_at);
}

static inline void runlock_by(struct weft_rwmutex *rw, const void *caller)
{
    const void *before_at = __atomic_load_n(&rw->runlocked_at, __ATOMIC_RELAXED);
    __atomic_store_n(&rw->runlocked_at, caller, __ATOMIC_RELAXED);
    uint32_t before = __atomic_fetch_sub(&rw->state, 1, __ATOMIC_RELEASE);
    if (__builtin_expect(before - 1 >= COUNT, 0)) /* WRITER is set, or it was 0 */
        runlock_slow(rw, before, caller, before_at);
}

__attribute__((noinline)) static void tell_and_runlock(struct weft_rwmutex *rw, const void *caller)
{
    weft__releasing(LOITER_WAIT_RLOCK, rw, NULL);
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

__attribute__((noinline)) static void told_of_lock(struct weft_rwmutex *rw,
                                                   const struct weft__place *at)
{
    weft__acquired(LOITER_WAIT_WLOCK, rw, &rw->owner, at);
}

/* The state that keeps others out, and lets whoever leaves look at the queue if need be. */
static uint32_t announce(struct weft_rwmutex *rw)
{
    uint32_t queue = queue_bit(rw), ask = weft__one_is_coming(rw->woken) ? 0 : QUEUE;
    uint32_t state = __atomic_load_n(&rw->state, __ATOMIC_RELAXED);
    while (!change(rw, &state, state | WRITER | (state & WRITER ? ask : queue), __ATOMIC_ACQUIRE)) {
    }
    return state;
}

/* True if the mutex is taken or was handed over. */
static bool take_or_wait(struct weft_rwmutex *rw, struct weft__waiter *w, bool again,
                         const struct weft__place *at)
{
    weft__lock(&rw->guard);
    arrive(rw, w);
    uint32_t state = announce(rw);
    if (state & WRITER)
        return queue(rw, &rw->write_waiters, w, again, WEFT__WAIT_WLOCK, at);
    __atomic_store_n(&rw->leaving, state & COUNT, __ATOMIC_RELAXED);
    if (rw->leaving == 0) {
        weft__unlock(&rw->guard);
        return true;
    }
    rw->pending = w->task;
    wait(rw, w, WEFT__WAIT_WLOCK, at);
    return true;
}

static bool spin(struct weft_rwmutex *rw)
{
    int rounds = WEFT__SPIN_ROUNDS;
    while (weft__seen_clear(&rw->state, UINT32_MAX, COUNT, &rounds)) {
        uint32_t free = 0;
        if (change(rw, &free, WRITER, __ATOMIC_ACQUIRE))
            return true;
        rounds--;
    }
    return false;
}

__attribute__((noinline)) static void lock_slow(struct weft_rwmutex *rw,
                                                const struct weft__place *at)
{
    if (!spin(rw)) {
        struct weft__waiter w = {.task = weft__self_or_die(), .since = weft_now()};
        for (bool again = false; !take_or_wait(rw, &w, again, at); again = true) {
        }
    }
    told_of_lock(rw, at);
}

void weft_rwmutex_lock(struct weft_rwmutex *rw)
{
    uint32_t free = 0;
    if (__builtin_expect(!change(rw, &free, WRITER, __ATOMIC_ACQUIRE), 0))
        lock_slow(rw, WEFT_CALLED_FROM(WEFT_CALLER()));
    else if (__builtin_expect(loiter_lock_acquired != NULL, 0))
        told_of_lock(rw, WEFT_CALLED_FROM(WEFT_CALLER()));
}

void weft__rwmutex_lock_told(struct weft_rwmutex *rw, int counted, const void *pc,
                             const void *frame, const void *caller)
{
    weft__uncount(counted);
    lock_slow(rw, WEFT_INLINED_AT(pc, frame, caller));
}

int weft_rwmutex_try_lock(struct weft_rwmutex *rw)
{
    uint32_t free = 0;
    if (!change(rw, &free, WRITER, __ATOMIC_ACQUIRE))
        return -EBUSY;
    told_of_lock(rw, WEFT_CALLED_FROM(WEFT_CALLER()));
    return 0;
}

/* `before`: where a writer gave it up before this call. */
__attribute__((noinline)) static void unlock_slow(struct weft_rwmutex *rw, uint32_t state,
                                                  const void *before)
{
    if (!(state & WRITER))
        weft__fatal_object("unlock of unlocked rwmutex", rw, rw->unlocked_at, "unlocked before",
                           before);
    leave(rw);
}

void weft_rwmutex_unlock(struct weft_rwmutex *rw)
{
    weft__releasing(LOITER_WAIT_WLOCK, rw, &rw->owner);
    const void *before = rw->unlocked_at;
    rw->unlocked_at = WEFT_CALLER();
    weft__rwmutex_unlock_wake(rw, before);
}

void weft__rwmutex_unlock_wake(struct weft_rwmutex *rw, const void *before)
{
    uint32_t state = WRITER;
    if (!change(rw, &state, 0, __ATOMIC_RELEASE))
        unlock_slow(rw, state, before);
}
