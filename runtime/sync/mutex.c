/*
 * The mutex.
 *
 * Design notes
 *
 * It is free if and only if `state` is zero. Taking a free one is a compare-and-swap, and giving it
 * up takes LOCKED off by a subtraction, in weft_inline.h unless somebody listens. If another bit is
 * left then, it is not free yet: whoever gives it up puts LOCKED back, and goes on as if it had
 * done nothing. All else happens under `guard`, which protects the queue, `woken` and the bits of
 * `state` but LOCKED; `unlocked_at` is whose the mutex is. Giving it up is the last access: whoever
 * takes it next may free the memory.
 *
 * Giving it up wakes the first waiter but does not give it the mutex: whoever is running takes it
 * first, which is much faster. While that one is on its way (`woken`), no other is woken, so WAKE
 * is not set and the two compare-and-swaps go on as if nobody waited; it sets WAKE again for those
 * that wait still when it takes the mutex or queues once more. A waiter that has been overtaken for
 * a millisecond sets STARVING: then nobody overtakes, and giving up hands the mutex over, until a
 * waiter finds that it waited less.
 */
#include <errno.h>

#include "runtime/sync/announce.h"
#include "runtime/sync/spin.h"

enum { LOCKED = 1, WAKE = 2, STARVING = 4 };

/* Changes `state`, with what it was. */
static inline bool change(struct weft_mutex *m, uint32_t *from, uint32_t to, int order)
{
    return __atomic_compare_exchange_n(&m->state, from, to, false, order, __ATOMIC_RELAXED);
}

static inline bool take(struct weft_mutex *m)
{
    uint32_t free = 0;
    return change(m, &free, LOCKED, __ATOMIC_ACQUIRE);
}

/* ---- waiting ---- */

static bool seen_free(const struct weft_mutex *m, int *rounds)
{
    return weft__seen_clear(&m->state, UINT32_MAX, STARVING, rounds);
}

/* Under the guard: takes it if it is free. Else somebody who gives it up will look at the queue. */
static bool take_or_ask(struct weft_mutex *m, bool starving)
{
    uint32_t ask = weft__one_is_coming(m->woken) ? 0 : WAKE;
    uint32_t state = __atomic_load_n(&m->state, __ATOMIC_RELAXED), next;
    do {
        if (state == 0)
            next = LOCKED | (m->waiters.head ? ask : 0);
        else
            next = state | ask | (starving ? (uint32_t)STARVING : 0);
    } while (!change(m, &state, next, __ATOMIC_ACQUIRE));
    return state == 0;
}

/* Queues and parks, unless it can be taken; true if it is taken or was handed over. */
static bool wait(struct weft_mutex *m, struct weft__waiter *w, bool again,
                 const struct weft__place *at)
{
    weft__lock(&m->guard);
    if (again)
        m->woken = 0;
    if (take_or_ask(m, again && weft_now() - w->since > WEFT__STARVING_NS)) {
        weft__unlock(&m->guard);
        return true;
    }
    w->passed = false;
    if (again)
        weft__waitq_push_front(&m->waiters, w);
    else
        weft__waitq_push(&m->waiters, w);
    weft__will_lock(w->task, WEFT__WAIT_MUTEX, m, at);
    weft__park(w->task, &m->guard);
    return w->passed;
}

static inline void told_of_lock(struct weft_mutex *m, const struct weft__place *at)
{
    weft__acquired(LOITER_WAIT_MUTEX, m, &m->owner, at);
}

static bool spin(struct weft_mutex *m)
{
    int rounds = WEFT__SPIN_ROUNDS;
    while (seen_free(m, &rounds)) {
        if (take(m))
            return true;
        rounds--;
    }
    return false;
}

static void queue(struct weft_mutex *m, const struct weft__place *at)
{
    struct weft__waiter w = {.task = weft__self_or_die(), .since = weft_now()};
    for (bool again = false; !wait(m, &w, again, at); again = true) {
        int rounds = WEFT__SPIN_ROUNDS;
        seen_free(m, &rounds);
    }
}

__attribute__((noinline)) static void lock_slow(struct weft_mutex *m, const struct weft__place *at)
{
    if (!spin(m))
        queue(m, at);
    told_of_lock(m, at);
}

/* ---- lock ---- */

intptr_t weft__watched;

_Static_assert(sizeof(struct weft__note) == sizeof(struct loiter_note) &&
                   offsetof(struct weft__note, at[1].lock) ==
                       offsetof(struct loiter_note, at[1].lock) &&
                   offsetof(struct weft__note, at[1].caller) ==
                       offsetof(struct loiter_note, at[1].caller) &&
                   offsetof(struct weft__note, at) == offsetof(struct loiter_note, at) &&
                   offsetof(struct weft__note, later) == offsetof(struct loiter_note, later) &&
                   offsetof(struct weft__note, left) == offsetof(struct loiter_note, left),
               "weft_inline.h fills it in");

__attribute__((constructor)) static void look_for_listeners(void)
{
    if (loiter_lock_acquired || loiter_lock_released)
        weft__watched = (char *)&weft__my_note - (char *)WEFT_ARCH_THREAD_POINTER();
}

void weft__mutex_lock(struct weft_mutex *m, const void *caller)
{
    if (__builtin_expect(!take(m), 0))
        lock_slow(m, WEFT_CALLED_FROM(caller));
    else
        told_of_lock(m, WEFT_CALLED_FROM(caller));
}

void weft__mutex_lock_told(struct weft_mutex *m, int counted, const void *pc, const void *frame,
                           const void *caller)
{
    weft__uncount(counted);
    lock_slow(m, WEFT_INLINED_AT(pc, frame, caller));
}

void weft_mutex_lock(struct weft_mutex *m)
{
    weft__mutex_lock(m, WEFT_CALLER());
}

int weft_mutex_try_lock(struct weft_mutex *m)
{
    if (!take(m)) {
        weft__spins(weft__worker(), true, WEFT_CALLER());
        return -EBUSY;
    }
    told_of_lock(m, WEFT_CALLED_FROM(WEFT_CALLER()));
    return 0;
}

/* ---- unlock ---- */

/* Under the guard: the waiter that gets the mutex. NULL: none is left, and nobody starves. */
static struct weft_task *hand_over(struct weft_mutex *m)
{
    struct weft__waiter *w = weft__waitq_pop(&m->waiters);
    uint32_t state = LOCKED;
    if (w) {
        w->passed = true;
        if (m->waiters.head && !weft__one_is_coming(m->woken))
            state |= WAKE;
        if (m->waiters.head && weft_now() - w->since >= WEFT__STARVING_NS)
            state |= STARVING;
    }
    __atomic_store_n(&m->state, state, __ATOMIC_RELEASE);
    return w ? w->task : NULL;
}

/* Under the guard: the waiter that may come and try. */
static struct weft_task *wake_first(struct weft_mutex *m)
{
    struct weft__waiter *w = weft__waitq_pop(&m->waiters);
    if (w)
        m->woken = w->task->epoch;
    __atomic_store_n(&m->state, LOCKED, __ATOMIC_RELAXED);
    return w ? w->task : NULL;
}

/* `before`: where it was given up before this call. */
_Noreturn static void unlocked_twice(const struct weft_mutex *m, const void *before)
{
    weft__fatal_object("unlock of unlocked mutex", m, m->unlocked_at, "unlocked before", before);
}

static void unlock_slow(struct weft_mutex *m, const void *before)
{
    struct weft_task *wake = NULL;
    uint32_t state = LOCKED;
    while (!change(m, &state, 0, __ATOMIC_RELEASE)) {
        if (!(state & LOCKED))
            unlocked_twice(m, before);
        weft__lock(&m->guard);
        bool starving = __atomic_load_n(&m->state, __ATOMIC_RELAXED) & STARVING;
        wake = starving ? hand_over(m) : wake_first(m);
        weft__unlock(&m->guard);
        if (starving && wake)
            break;
        state = LOCKED;
    }
    if (wake)
        weft__ready(wake, m);
}

void weft__mutex_unlock(struct weft_mutex *m, const void *caller)
{
    weft__releasing(LOITER_WAIT_MUTEX, m, &m->owner);
    const void *before = m->unlocked_at;
    m->unlocked_at = caller;
    unlock_slow(m, before);
}

void weft_mutex_unlock(struct weft_mutex *m)
{
    weft__mutex_unlock(m, WEFT_CALLER());
}

/* LOCKED was subtracted, and that did not leave zero. */
void weft__mutex_unlock_wake(struct weft_mutex *m, const void *before)
{
    if (__atomic_fetch_or(&m->state, LOCKED, __ATOMIC_RELAXED) & LOCKED)
        unlocked_twice(m, before);
    unlock_slow(m, before);
}
