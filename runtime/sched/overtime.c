/*
 * See overtime.h.
 *
 * Design notes
 *
 * C cannot be preempted at any instruction, so a task that computes keeps its worker. A worker is
 * late when it has run the same task for LATE_MS. What stands in its queue can be stolen; if the
 * other workers are asleep, they come and do so. If all are busy, or there is only one, nobody
 * would: then the monitor activates an extra worker, which steals as all do and ends when it finds
 * nothing, or when there are more extra workers than late ones. So, as with Go's preemption, the
 * others go on after some 20 ms, and those at work that are not late are as many as the run has
 * workers.
 *
 * Who has work of its own steals nothing. If that goes for all who are not late, what stands in the
 * queues of those who are comes to the shared queue, where every worker looks now and then.
 *
 * All here is the monitor's but for the end of an extra worker, which its own thread brings about.
 * While `extras` counts one, nobody reports a deadlock.
 */
#include "runtime/sched/overtime.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/io/netpoll.h"
#include "runtime/sched/thread.h"
#include "runtime/time/timers.h"

enum { LATE_MS = 20, EXTRA_MAX = 64, HANDED_MOST = 64 };

uint32_t weft__coarse_ms;

void weft__coarse_update(void)
{
    __atomic_store_n(&weft__coarse_ms, (uint32_t)(weft_now() / WEFT_MS), __ATOMIC_RELAXED);
    LOITER_CALL(loiter_tick, ());
}

/* True if it has run the same task since long. */
static bool is_late(struct weft__run *run, struct weft__worker *w, uint32_t now)
{
    uint32_t tick = __atomic_load_n(&w->tick, __ATOMIC_RELAXED);
    if (tick != w->seen_tick || !__atomic_load_n(&w->current, __ATOMIC_RELAXED)) {
        w->seen_tick = tick;
        __atomic_store_n(&w->seen_ms, now, __ATOMIC_RELAXED);
        __atomic_store_n(&w->seen_late, false, __ATOMIC_RELAXED);
        return false;
    }
    if (now - w->seen_ms < LATE_MS)
        return false;
    if (!w->seen_late) {
        __atomic_store_n(&w->seen_late, true, __ATOMIC_RELAXED);
        const struct weft_task *t = __atomic_load_n(&w->current, __ATOMIC_RELAXED);
        if (t)
            LOITER_CALL(loiter_task_computes, (&t->loiter));
        weft__count(&run->long_runs);
    }
    return true;
}

static bool has_work(const struct weft__worker *w)
{
    return __atomic_load_n(&w->next, __ATOMIC_RELAXED) || weft__ring_count(w) != 0;
}

/* Between this and its activation it is nobody's. NULL: no memory, or too many. */
static struct weft__worker *find_extra(struct weft__run *run)
{
    for (unsigned i = run->workers; i < run->slots; i++) {
        if (!__atomic_load_n(&run->worker[i]->active, __ATOMIC_ACQUIRE))
            return run->worker[i];
    }
    unsigned i = run->slots;
    if (i == WEFT_MAX_WORKERS || i - run->workers == EXTRA_MAX)
        return NULL;
    struct weft__worker *w = run->worker[i];
    if (w)
        weft__timer_drop_spare(w); /* of a straggler */
    else if (!(w = aligned_alloc(alignof(struct weft__worker), sizeof *w)))
        return NULL;
    weft__worker_reset(w, run, i);
    w->extra = true;
    run->worker[i] = w;
    __atomic_store_n(&run->slots, i + 1, __ATOMIC_RELEASE);
    return w;
}

static void activate(struct weft__run *run)
{
    /* A single worker lets nobody steal until it was told. */
    struct weft__worker *only = run->worker[0];
    if ((__atomic_load_n(&only->alone, __ATOMIC_RELAXED) ||
         __atomic_load_n(&only->popping, __ATOMIC_ACQUIRE)) &&
        !weft__share_queue(only))
        return;
    struct weft__worker *w = find_extra(run);
    if (!w)
        return;
    __atomic_store_n(&w->active, true, __ATOMIC_RELAXED);
    __atomic_fetch_add(&run->extras, 1, __ATOMIC_SEQ_CST);
    if (weft__thread_drive(run, w) != 0) {
        __atomic_fetch_sub(&run->extras, 1, __ATOMIC_SEQ_CST);
        __atomic_store_n(&w->active, false, __ATOMIC_RELAXED);
    }
}

/* What stands behind late workers goes to the shared queue. Single workers let others steal: there
 * is an extra worker, or was. All may fall asleep before the tasks are seen again. */
static void hand_over(struct weft__run *run)
{
    struct weft_task *batch[HANDED_MOST];
    __atomic_store_n(&run->handing, 1, __ATOMIC_SEQ_CST);
    for (unsigned i = 0; i < run->slots; i++) {
        struct weft__worker *w = run->worker[i];
        if (!w->seen_late || __atomic_load_n(&w->alone, __ATOMIC_RELAXED))
            continue;
        struct weft_task *next = weft__next_steal(w);
        if (next)
            weft__push_shared(run, next);
        uint32_t count = weft__ring_grab(w, batch, HANDED_MOST);
        for (uint32_t k = 0; k < count; k++)
            weft__push_shared(run, batch[k]);
    }
    __atomic_store_n(&run->handing, 0, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&run->idle_count, __ATOMIC_SEQ_CST) == run->workers)
        weft__wake_one(run);
}

void weft__overtime_look(struct weft__run *run)
{
    uint32_t late = 0, now = __atomic_load_n(&weft__coarse_ms, __ATOMIC_RELAXED);
    bool stranded = false;
    for (unsigned i = 0; i < run->slots; i++) {
        if (is_late(run, run->worker[i], now)) {
            late++;
            stranded = stranded || has_work(run->worker[i]);
        }
    }
    __atomic_store_n(&run->late, late, __ATOMIC_RELAXED);
    uint32_t extras = __atomic_load_n(&run->extras, __ATOMIC_SEQ_CST);
    if (late == 0 && extras == 0 && run->workers == 1 &&
        !__atomic_load_n(&run->worker[0]->alone, __ATOMIC_RELAXED))
        weft__unshare_queue(run->worker[0]); /* those that came to help are gone */
    if (late == 0 || __atomic_load_n(&run->idle_count, __ATOMIC_SEQ_CST) != 0)
        return;
    if (late <= extras) {
        if (stranded)
            hand_over(run);
        return;
    }
    bool all = late == run->workers + extras;
    if (stranded || (all && (__atomic_load_n(&run->queued, __ATOMIC_RELAXED) != 0 ||
                             weft__netpoll_waiting() != 0 || weft__timers_next() <= weft_now())))
        activate(run);
}

bool weft__overtime_is_over(struct weft__worker *w)
{
    return __atomic_load_n(&w->run->extras, __ATOMIC_RELAXED) >
           __atomic_load_n(&w->run->late, __ATOMIC_RELAXED);
}

void weft__overtime_retire(struct weft__worker *w)
{
    struct weft__run *run = w->run;
    struct weft_task *t;
    while ((t = weft__next_take(w)) || (t = weft__ring_pop(w)))
        weft__push_shared(run, t);
    weft__task_drop_cache(w);
    weft__stack_drop_cache(w);
    __atomic_store_n(&w->active, false, __ATOMIC_RELEASE);
    /* The last one that could have made a task ready: somebody must look whether all is over. */
    __atomic_fetch_sub(&run->extras, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&run->idle_count, __ATOMIC_SEQ_CST) == run->workers)
        weft__wake_one(run);
}

uint32_t weft__overtime_ms(const struct weft__worker *w)
{
    if (!__atomic_load_n(&w->seen_late, __ATOMIC_RELAXED))
        return 0;
    return __atomic_load_n(&weft__coarse_ms, __ATOMIC_RELAXED) -
           __atomic_load_n(&w->seen_ms, __ATOMIC_RELAXED);
}
