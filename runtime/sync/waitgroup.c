/*
 * The wait group. `state` is the count above and the number of waiting tasks below, in one word:
 * who brings the count to zero with nobody waiting touches it no more, so a task that then finds it
 * zero may free it.
 */
#include "runtime/sync/announce.h"

#define WAITING UINT32_MAX

static int32_t count_of(uint64_t state)
{
    return (int32_t)(state >> 32);
}

/* Once the guard is free, whoever is counted as waiting is in the queue and off its stack; and
 * nobody queues as long as the count is zero, so it need not be taken. */
static void wake_waiters(struct weft_waitgroup *wg)
{
    weft__wait_until_unlocked(&wg->guard);
    struct weft_task *list = weft__waitq_pop_all(&wg->waiters);
    __atomic_store_n(&wg->state, 0, __ATOMIC_RELEASE);
    weft__ready_all(list, wg);
}

/* The count is no longer zero. Mostly who listens knows that this task may do so. */
static inline void tell_begun(const struct weft_waitgroup *wg, const void *caller)
{
    if (__builtin_expect(loiter_waitgroup_begun == NULL, 1))
        return;
    const struct weft__worker *w = weft__worker();
    const struct loiter_adder *adder = w ? w->spared.adder : NULL;
    if (!adder || adder->group != (uintptr_t)wg || !w->current ||
        adder->task != w->current->loiter.id)
        loiter_waitgroup_begun(wg, caller);
}

struct misuse {
    enum loiter_misuse kind;
    const char *what, *before;
};

static _Noreturn void misused(const struct misuse *m, const struct weft_waitgroup *wg,
                              const void *caller, const void *at)
{
    LOITER_CALL(loiter_misused, (m->kind, wg, m->what, caller));
    weft__fatal_object(m->what, wg, caller, m->before, at);
}

/* What add leaves to do, which made the state what is given. */
static void added(struct weft_waitgroup *wg, int64_t delta, uint64_t state, const void *done_before,
                  const void *caller)
{
    static const struct misuse negative = {LOITER_MISUSE_GROUP_NEGATIVE, "negative waitgroup count",
                                           "counted down before"};
    static const struct misuse reused = {
        LOITER_MISUSE_GROUP_REUSED, "waitgroup misuse: add from zero while a wait is on its way",
        "waited for"};
    if (delta > INT32_MAX || delta < INT32_MIN)
        weft__fatal_object("waitgroup count out of range", wg, caller, NULL, NULL);
    if (count_of(state) < 0)
        misused(&negative, wg, caller, done_before);
    if (delta > 0 && count_of(state) == delta)
        tell_begun(wg, caller);
    if ((state & WAITING) == 0)
        return;
    if (delta > 0 && count_of(state) == delta)
        misused(&reused, wg, caller, __atomic_load_n(&wg->waited_at, __ATOMIC_RELAXED));
    if (count_of(state) == 0)
        wake_waiters(wg);
}

void weft__waitgroup_added(struct weft_waitgroup *wg, int64_t delta, uint64_t state,
                           const void *done_before)
{
    added(wg, delta, state, done_before, WEFT_CALLER());
}

/* From zero, with nobody waiting: somebody listens. */
void weft__waitgroup_begun(const struct weft_waitgroup *wg)
{
    tell_begun(wg, WEFT_CALLER());
}

static void add_by(struct weft_waitgroup *wg, int64_t delta, const void *caller)
{
    uint64_t add = (uint64_t)delta << 32;
    const void *before = __atomic_load_n(&wg->done_at, __ATOMIC_RELAXED);
    if (delta < 0)
        __atomic_store_n(&wg->done_at, caller, __ATOMIC_RELAXED);
    added(wg, delta, __atomic_add_fetch(&wg->state, add, __ATOMIC_ACQ_REL), before, caller);
}

void weft_waitgroup_add(struct weft_waitgroup *wg, int64_t delta)
{
    add_by(wg, delta, WEFT_CALLER());
}

void weft_waitgroup_done(struct weft_waitgroup *wg)
{
    add_by(wg, -1, WEFT_CALLER());
}

/* False: there was nothing to wait for. */
static bool wait_for(struct weft_waitgroup *wg, const void *caller)
{
    uint64_t state = __atomic_load_n(&wg->state, __ATOMIC_ACQUIRE);
    if (count_of(state) == 0)
        return false;
    struct weft_task *t = weft__self_or_die();
    struct weft__waiter w = {.task = t};
    weft__lock(&wg->guard);
    do {
        if (count_of(state) == 0) {
            weft__unlock(&wg->guard);
            return false;
        }
    } while (!__atomic_compare_exchange_n(&wg->state, &state, state + 1, false, __ATOMIC_ACQ_REL,
                                          __ATOMIC_ACQUIRE));
    weft__waitq_push(&wg->waiters, &w);
    __atomic_store_n(&wg->waited_at, caller, __ATOMIC_RELAXED);
    weft__will_wait(t, WEFT__WAIT_GROUP, wg, false, caller);
    weft__park(t, &wg->guard);
    return true;
}

void weft_waitgroup_wait(struct weft_waitgroup *wg)
{
    if (!wait_for(wg, WEFT_CALLER()))
        LOITER_CALL(loiter_waitgroup_waited, (wg, WEFT_CALLER()));
}

struct member {
    struct weft_waitgroup *wg;
    void (*fn)(void *);
    void *arg;
};

/* For a report, its function did it. */
static void member_done(void *arg)
{
    const struct member *m = arg;
    add_by(m->wg, -1, (const char *)m->fn + 1);
}

static void run_member(void *arg)
{
    struct member *m = arg;
    struct weft_deferred done; /* also when the task ends in the function */
    weft_defer_enter(&done, member_done, m);
    m->fn(m->arg);
    weft_defer_leave(&done);
}

int weft_waitgroup_go(struct weft_waitgroup *wg, void (*fn)(void *), void *arg)
{
    struct member m = {wg, fn, arg};
    weft_waitgroup_add(wg, 1);
    struct weft__spawn spawn = {.fn = run_member, .start = fn, .arg = &m, .size = sizeof m};
    int r = weft__spawn(&spawn, WEFT_CALLER());
    if (r != 0)
        weft_waitgroup_add(wg, -1);
    return r;
}
