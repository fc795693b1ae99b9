/*
 * Where tasks that can run wait for a worker: into and out of rings and the shared queue.
 *
 * Design notes
 *
 * The records in a long shared queue have left the caches, and to walk its chain is to wait for the
 * memory at each. So where many tasks are put there at once, each also says which comes HOP places
 * behind it, in `object`, which means nothing while a task does not wait: who takes them asks for
 * that one in advance. It is a hint: wherever it points, nothing there is used.
 */
#include "runtime/sched/inside.h"

enum { HOP = 8 };

/* Appends a chain of `count` tasks. */
static void put_shared(struct weft__run *run, struct weft_task *first, struct weft_task *last,
                       uint32_t count)
{
    last->next = NULL;
    weft__lock(&run->queue_lock);
    if (run->queue_tail)
        run->queue_tail->next = first;
    else
        run->queue_head = first;
    run->queue_tail = last;
    __atomic_store_n(&run->queued, run->queued + count, __ATOMIC_SEQ_CST);
    weft__unlock(&run->queue_lock);
}

/* The ring is full: the older half of it and then `t` go to the shared queue. */
static void overflow(struct weft__worker *w, struct weft_task *t)
{
    struct weft_task *batch[WEFT_BATCH];
    uint32_t count = weft__ring_grab(w, batch, WEFT_BATCH);
    if (count == 0) {
        put_shared(w->run, t, t, 1);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        batch[i]->next = i + 1 < count ? batch[i + 1] : t;
        __atomic_store_n(&batch[i]->object, i + HOP < count ? batch[i + HOP] : t, __ATOMIC_RELAXED);
    }
    put_shared(w->run, batch[0], t, count + 1);
}

void weft__push_tail(struct weft__worker *w, struct weft_task *t)
{
    if (__builtin_expect(!weft__ring_push(w, t), 0))
        overflow(w, t);
    weft__light_fence();
    weft__wake_if_idle(w->run);
}

bool weft__share_queue(struct weft__worker *w)
{
    __atomic_store_n(&w->alone, false, __ATOMIC_RELAXED);
    weft__heavy_fence();
    return !__atomic_load_n(&w->popping, __ATOMIC_ACQUIRE);
}

void weft__unshare_queue(struct weft__worker *w)
{
    __atomic_store_n(&w->alone, true, __ATOMIC_RELEASE);
}

void weft__push_shared(struct weft__run *run, struct weft_task *t)
{
    put_shared(run, t, t, 1);
    weft__wake_if_idle(run);
}

struct weft_task *weft__take_shared(struct weft__worker *w, uint32_t most)
{
    struct weft__run *run = w->run;
    if (__atomic_load_n(&run->queued, __ATOMIC_RELAXED) == 0)
        return NULL;
    weft__lock(&run->queue_lock);
    uint32_t count = run->queued / run->workers + 1;
    uint32_t room = WEFT_RING_SIZE - weft__ring_count(w);
    if (count > run->queued)
        count = run->queued;
    if (count > most)
        count = most;
    if (count > room + 1)
        count = room + 1;
    struct weft_task *first = run->queue_head;
    struct weft_task *t = first;
    for (uint32_t i = 0; i < count; i++) {
        struct weft_task *next = t->next;
        weft__prefetch_task(__atomic_load_n(&t->object, __ATOMIC_RELAXED));
        if (i > 0)
            weft__ring_push(w, t); /* there is room: only thieves change it, downwards */
        t = next;
    }
    if (count > 0) {
        run->queue_head = t;
        if (!t)
            run->queue_tail = NULL;
        __atomic_store_n(&run->queued, run->queued - count, __ATOMIC_SEQ_CST);
    }
    weft__unlock(&run->queue_lock);
    return count > 0 ? first : NULL;
}

struct weft_task *weft__steal(struct weft__worker *w, const uint32_t *ticks)
{
    struct weft__run *run = w->run;
    struct weft_task *batch[WEFT_BATCH];
    uint32_t start = weft__random();
    unsigned slots = __atomic_load_n(&run->slots, __ATOMIC_ACQUIRE);
    for (unsigned i = 0; i < slots; i++) {
        struct weft__worker *victim = run->worker[(start + i) % slots];
        if (victim == w)
            continue;
        uint32_t count = weft__ring_grab(victim, batch, WEFT_BATCH);
        for (uint32_t k = 1; k < count; k++)
            weft__ring_push(w, batch[k]); /* its own ring is empty */
        if (count > 0) {
            weft__count(&w->steals);
            return batch[0];
        }
        if (ticks && __atomic_load_n(&victim->tick, __ATOMIC_RELAXED) == ticks[victim->index]) {
            struct weft_task *t = weft__next_steal(victim);
            if (t) {
                weft__count(&w->steals);
                return t;
            }
        }
    }
    return NULL;
}

bool weft__next_in_sight(struct weft__run *run)
{
    for (unsigned i = 0; i < __atomic_load_n(&run->slots, __ATOMIC_ACQUIRE); i++) {
        if (__atomic_load_n(&run->worker[i]->next, __ATOMIC_SEQ_CST))
            return true;
    }
    return false;
}

bool weft__work_in_sight(struct weft__run *run)
{
    if (__atomic_load_n(&run->queued, __ATOMIC_SEQ_CST) != 0)
        return true;
    for (unsigned i = 0; i < __atomic_load_n(&run->slots, __ATOMIC_ACQUIRE); i++) {
        if (weft__ring_count(run->worker[i]) != 0)
            return true;
    }
    return false;
}
