/*
 * A worker that has nothing to run: it looks around, spins for a while, then sleeps; and how it is
 * woken.
 *
 * Design notes
 *
 * Losing no wake-up. Who makes a task ready puts it in a queue and then reads idle_count and
 * spinning. Who goes to sleep enters the idle list (idle_count), gives up spinning, and then looks
 * through all queues once more. Between its two steps the first fences lightly and the second
 * heavily (fence.h), so either the first sees a sleeper to wake or the second sees the task. A
 * spinning worker counts as awake: the last one that finds work looks for more and wakes another in
 * its turn. Here the first fences in full between the queue and `spinning`, if that is not 0, so
 * that one of the two sees the other.
 *
 * Who wakes takes the sleeper out of the list and counts it as spinning on its behalf: many wakers
 * at once wake one. A worker that leaves by itself (descriptor, timer, time limit) takes itself
 * out; if it is gone from the list already, somebody has woken it as well, and it spins.
 *
 * One sleeper at most sleeps in epoll, with the first timer as its limit: the poller. The others
 * sleep on a futex. While no one polls, some worker is awake, and looks at descriptors and timers
 * between tasks; while all compute, the monitor sees to it.
 *
 * A lone spawn wakes one as well: its maker may compute on. Mostly it waits instead, and who came
 * spins and sleeps again for nothing, at the cost of a heavy fence to all. So one that found
 * nothing enters what it was woken for (in_vain), the place and the function of the spawn, and such
 * spawns wake nobody until the monitor has looked, which also finds the task that stands still
 * meanwhile.
 *
 * Who spins is relied on for lone spawns too, but cannot tell a task that has just come from one
 * whose maker goes on to it at once. So if one stands there at the end, it looks once more.
 *
 * Whether all sleep for good is looked at by the last one to fall asleep, once nothing has come for
 * a while: it takes long, and who sleeps could not be woken meanwhile.
 *
 * The lock of the idle list protects the list, `idle` of each worker, and idle_count; it nests
 * inside the lock of any object and takes none itself.
 */
#include "runtime/io/netpoll.h"
#include "runtime/sched/inside.h"
#include "runtime/time/timers.h"

enum { SPIN_NS = 15000, SPINS_BETWEEN_LOOKS = 30, RESPINS_MAX = 2 };
enum { SHARED_FIRST_EVERY = 61, SHARED_LEAST = 8 };
#define CALM_NS    (INT64_C(10) * WEFT_MS)
#define RECHECK_NS WEFT_S

static void stop_spinning(struct weft__worker *w)
{
    w->spinning = false;
    __atomic_fetch_sub(&w->run->spinning, 1, __ATOMIC_SEQ_CST);
}

static void list_remove(struct weft__run *run, struct weft__worker *w)
{
    struct weft__worker **p = &run->idle;
    while (*p != w)
        p = &(*p)->idle_next;
    *p = w->idle_next;
    w->idle = false;
    __atomic_store_n(&run->idle_count, run->idle_count - 1, __ATOMIC_SEQ_CST);
}

static void rouse(struct weft__run *run, struct weft__worker *w)
{
    __atomic_store_n(&w->wake, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&run->poller, __ATOMIC_SEQ_CST) == w)
        weft__netpoll_kick(run);
    else
        weft__futex_wake(&w->wake, 1);
    weft__monitor_kick(run);
}

static bool somebody_spins(const struct weft__run *run)
{
    if (__atomic_load_n(&run->spinning, __ATOMIC_SEQ_CST) == 0)
        return false;
    weft__full_fence();
    return __atomic_load_n(&run->spinning, __ATOMIC_SEQ_CST) != 0;
}

static uintptr_t *entry_of(struct weft__run *run, uintptr_t kind)
{
    return &run->in_vain[(kind ^ kind >> 4 ^ kind >> 8) % WEFT_VAIN_KINDS];
}

static void wake_one(struct weft__run *run, uintptr_t kind)
{
    if (somebody_spins(run))
        return;
    do {
        uint32_t none = 0;
        if (!__atomic_compare_exchange_n(&run->spinning, &none, 1, false, __ATOMIC_SEQ_CST,
                                         __ATOMIC_SEQ_CST))
            return;
        weft__lock(&run->idle_lock);
        struct weft__worker *w = run->idle;
        if (w) {
            w->woken_for = kind;
            list_remove(run, w);
        }
        weft__unlock(&run->idle_lock);
        if (w) {
            rouse(run, w);
            return;
        }
        /* Who looked meanwhile took us for a spinner: look again in its place. */
        __atomic_fetch_sub(&run->spinning, 1, __ATOMIC_SEQ_CST);
    } while (__atomic_load_n(&run->idle_count, __ATOMIC_SEQ_CST) != 0);
}

void weft__wake_one(struct weft__run *run)
{
    wake_one(run, 0);
}

void weft__wake_for(struct weft__run *run, uintptr_t kind)
{
    if (__atomic_load_n(entry_of(run, kind), __ATOMIC_RELAXED) != kind)
        wake_one(run, kind);
}

void weft__wake_all(struct weft__run *run)
{
    for (;;) {
        weft__lock(&run->idle_lock);
        struct weft__worker *w = run->idle;
        if (w) {
            w->woken_for = 0;
            list_remove(run, w);
            __atomic_fetch_add(&run->spinning, 1, __ATOMIC_SEQ_CST);
        }
        weft__unlock(&run->idle_lock);
        if (!w)
            return;
        rouse(run, w);
    }
}

/* How long the last one that falls asleep sleeps before it looks whether that is for good;
 * negative: somebody else will look. */
static int64_t until_a_look(const struct weft__worker *w)
{
    if (!w->rested && weft__nothing_pending(w->run))
        return CALM_NS;
    return weft__check_deadlock(w->run) ? -1 : RECHECK_NS;
}

/* The same with the first timer for who polls, which says before how long it will sleep. */
static int64_t sleep_limit(struct weft__run *run, bool polls, int64_t limit)
{
    int64_t until = INT64_MAX;
    if (polls) {
        until = weft__timers_next();
        __atomic_store_n(&run->poller_until, until, __ATOMIC_SEQ_CST);
        int64_t again = weft__timers_next(); /* one armed before it saw our limit */
        if (again < until)
            until = again;
    }
    if (until != INT64_MAX) {
        int64_t left = until - weft_now();
        left = left < 0 ? 0 : left;
        if (limit < 0 || left < limit)
            limit = left;
    }
    return limit;
}

static void sleep_now(struct weft__worker *w, bool polls, int64_t most)
{
    int64_t limit = sleep_limit(w->run, polls, most);
    if (polls) {
        if (__atomic_load_n(&w->wake, __ATOMIC_SEQ_CST) == 0)
            weft__netpoll(w->run, limit);
        return;
    }
    while (__atomic_load_n(&w->wake, __ATOMIC_SEQ_CST) == 0) {
        if (!weft__futex_wait(&w->wake, 0, limit))
            break;
    }
}

/* One that was woken for spawns of a kind found work, or nothing. */
static void came_for(struct weft__run *run, uintptr_t kind, bool work)
{
    uintptr_t *entry = entry_of(run, kind);
    if (kind == 0)
        return;
    if (!work)
        __atomic_store_n(entry, kind, __ATOMIC_RELAXED);
    else if (__atomic_load_n(entry, __ATOMIC_RELAXED) == kind)
        __atomic_store_n(entry, 0, __ATOMIC_RELAXED);
}

/* How many are in the list now. */
static uint32_t list_add(struct weft__run *run, struct weft__worker *w)
{
    weft__lock(&run->idle_lock);
    w->idle = true;
    w->idle_next = run->idle;
    run->idle = w;
    uint32_t asleep = run->idle_count + 1;
    __atomic_store_n(&run->idle_count, asleep, __ATOMIC_SEQ_CST);
    weft__unlock(&run->idle_lock);
    return asleep;
}

/* True: somebody has woken the worker. */
static bool list_leave(struct weft__run *run, struct weft__worker *w)
{
    weft__lock(&run->idle_lock);
    bool woken = !w->idle;
    if (!woken)
        list_remove(run, w);
    weft__unlock(&run->idle_lock);
    return woken;
}

/* Sleeps until there may be something to do. */
static void go_idle(struct weft__worker *w)
{
    struct weft__run *run = w->run;
    struct weft__worker *nobody = NULL;
    uintptr_t kind = w->woken_for;
    bool polls = __atomic_compare_exchange_n(&run->poller, &nobody, w, false, __ATOMIC_SEQ_CST,
                                             __ATOMIC_SEQ_CST);
    w->woken_for = 0;
    __atomic_store_n(&w->wake, 0, __ATOMIC_SEQ_CST);
    uint32_t asleep = list_add(run, w);
    if (w->spinning)
        stop_spinning(w);
    weft__heavy_fence();
    bool once_more = w->respins < RESPINS_MAX && weft__next_in_sight(run);
    w->respins = once_more ? w->respins + 1 : 0;
    if (!once_more && !weft__work_in_sight(run) && !weft__ended(run)) {
        came_for(run, kind, false);
        kind = 0;
        sleep_now(w, polls, asleep == run->workers ? until_a_look(w) : -1);
        weft__coarse_update();
    }
    if (polls)
        __atomic_store_n(&run->poller, NULL, __ATOMIC_SEQ_CST);
    bool woken = list_leave(run, w);
    w->rested = !woken;
    if (woken) {
        w->spinning = true; /* counted by who woke us */
    } else {
        w->woken_for = kind;
        weft__monitor_kick(run);
    }
}

/* Half of those awake may spin. */
static void start_spinning(struct weft__worker *w)
{
    struct weft__run *run = w->run;
    uint32_t awake = run->workers - __atomic_load_n(&run->idle_count, __ATOMIC_RELAXED);
    if (w->spinning || run->workers == 1 ||
        2 * __atomic_load_n(&run->spinning, __ATOMIC_RELAXED) >= awake)
        return;
    w->spinning = true;
    __atomic_fetch_add(&run->spinning, 1, __ATOMIC_SEQ_CST);
}

/* A `next` of another worker is taken only in the last look, if it stood there all the time. */
static struct weft_task *spin(struct weft__worker *w)
{
    struct weft__run *run = w->run;
    uint32_t ticks[WEFT_MAX_WORKERS];
    struct weft_task *t = weft__steal(w, NULL);
    if (t)
        return t;
    unsigned slots = __atomic_load_n(&run->slots, __ATOMIC_ACQUIRE);
    for (unsigned i = 0; i < slots; i++)
        ticks[i] = __atomic_load_n(&run->worker[i]->tick, __ATOMIC_RELAXED);
    int64_t until = weft_now() + SPIN_NS;
    while (weft_now() < until && !weft__ended(run)) {
        for (int i = 0; i < SPINS_BETWEEN_LOOKS; i++)
            weft__relax();
        t = weft__take_shared(w, WEFT_BATCH);
        if (!t)
            t = weft__steal(w, NULL);
        if (t)
            return t;
    }
    return weft__steal(w, ticks);
}

/* How many of the shared queue come between two of the ring's. What is put into a full ring goes
 * back where it came from, so no more than fill half of it; and some at least, for the ring may
 * never be emptier. */
static uint32_t share_of_turn(const struct weft__worker *w)
{
    uint32_t count = weft__ring_count(w);
    return count + SHARED_LEAST < WEFT_BATCH ? WEFT_BATCH - count : SHARED_LEAST;
}

static struct weft_task *look_around(struct weft__worker *w)
{
    weft__timers_run(w);
    struct weft_task *t = NULL;
    if (w->tick % SHARED_FIRST_EVERY == 0)
        t = weft__take_shared(w, share_of_turn(w));
    if (!t)
        t = weft__next_take(w);
    if (!t)
        t = weft__ring_pop(w);
    if (!t)
        t = weft__take_shared(w, WEFT_BATCH);
    if (t)
        return t;
    weft__timers_run_all(w);
    if (weft__netpoll_waiting() != 0 && !__atomic_load_n(&w->run->poller, __ATOMIC_RELAXED))
        weft__netpoll(w->run, 0);
    t = weft__next_take(w);
    return t ? t : weft__ring_pop(w);
}

/* A busy worker looks at descriptors and at the timers of the others too, else those would wait for
 * the first to be idle. */
static void look_for_others(struct weft__worker *w)
{
    weft__timers_run_all(w);
    if (weft__netpoll_waiting() != 0)
        weft__netpoll(w->run, 0);
}

/* The next task for the worker; NULL when the run has ended, or an extra worker has nothing to do.
 */
struct weft_task *weft__find_work(struct weft__worker *w)
{
    struct weft__run *run = w->run;
    w->hits = 0;
    for (;;) {
        if (weft__ended(run))
            return NULL;
        if (w->tick % (SHARED_FIRST_EVERY * 7) == 0)
            look_for_others(w);
        bool hungry = __atomic_load_n(&weft__stacks_short, __ATOMIC_RELAXED);
        struct weft_task *t = __builtin_expect(hungry, 0) ? weft__feed(w) : NULL;
        if (!t)
            t = look_around(w);
        if (!t) {
            start_spinning(w);
            if (w->spinning || w->extra)
                t = spin(w);
        }
        if (t) {
            w->rested = false;
            came_for(run, w->woken_for, true);
            w->woken_for = 0;
            if (w->spinning) {
                stop_spinning(w);
                if (weft__work_in_sight(run))
                    weft__wake_if_idle(run);
            }
            return t;
        }
        if (w->extra) {
            if (w->spinning)
                stop_spinning(w);
            return NULL;
        }
        go_idle(w);
    }
}
