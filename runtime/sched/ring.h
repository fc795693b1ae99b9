/*
 * A worker's queue: a ring that its owner fills and everybody empties, and the `next` slot for the
 * task that was made ready last, which finds its data still in the cache.
 *
 * Design notes
 *
 * Only the owner moves `tail`; owner and thieves move `head` by compare-and-swap, so a task is
 * taken once. A slot is read before that swap and may be overwritten meanwhile: then the swap
 * fails, as the owner reuses a slot only after head has passed it.
 *
 * Who adds work and who goes to sleep meet as in Dekker's algorithm: the first writes the queue
 * and then reads whether anybody sleeps, the second says that it sleeps and then reads the queues.
 * At least one of the two must see the other, so each needs a full fence between its two accesses.
 * Work is added all the time and sleep is rare, so the fences are uneven (fence.h): light where
 * work is added, heavy where a worker goes to sleep. The store to `tail` is the write meant here.
 *
 * `next` alone is no reason to wake anybody: its worker takes it at its next switch, and a thief
 * that took it would only carry its data away. If the worker computes on instead, the monitor sees
 * that it stands still and sends a thief. Only the owner fills the slot when it is empty, so that
 * takes a plain store; whoever empties it swaps.
 *
 * The worker of a run that has only one is alone: it empties its queue without atomic swaps. Who
 * wants to steal from it all the same (weft__share_queue) takes back `alone`, fences heavily and
 * then waits for `popping` to be false: from there on the owner has seen that it is not alone. Once
 * nobody steals any more, `alone` is set again, after all that thieves did.
 */
#ifndef WEFT_SCHED_RING_H
#define WEFT_SCHED_RING_H

#include "runtime/sched/fence.h"
#include "runtime/sched/task.h"

static inline uint32_t weft__ring_count(const struct weft__worker *w)
{
    uint32_t head = __atomic_load_n(&w->head, __ATOMIC_SEQ_CST);
    return __atomic_load_n(&w->tail, __ATOMIC_SEQ_CST) - head;
}

/* For the owner, who needs no order. */
static inline bool weft__ring_is_empty(const struct weft__worker *w)
{
    return __atomic_load_n(&w->head, __ATOMIC_RELAXED) == w->tail;
}

/* By the owner. False: no room. A light fence has to follow before it is read who sleeps. */
static inline bool weft__ring_push(struct weft__worker *w, struct weft_task *t)
{
    uint32_t head = __atomic_load_n(&w->head, __ATOMIC_ACQUIRE);
    uint32_t tail = w->tail;
    if (tail - head >= WEFT_RING_SIZE)
        return false;
    __atomic_store_n(&w->ring[tail % WEFT_RING_SIZE], t, __ATOMIC_RELAXED);
    __atomic_store_n(&w->tail, tail + 1, __ATOMIC_RELEASE);
    return true;
}

/* The owner's bracket around what it takes without a swap; false: it is not alone. */
static inline bool weft__pop_begin(struct weft__worker *w)
{
    if (!__atomic_load_n(&w->alone, __ATOMIC_ACQUIRE))
        return false;
    __atomic_store_n(&w->popping, true, __ATOMIC_RELAXED);
    __asm__ volatile("" ::: "memory"); /* the other side fences heavily */
    if (__builtin_expect(__atomic_load_n(&w->alone, __ATOMIC_RELAXED), 1))
        return true;
    __atomic_store_n(&w->popping, false, __ATOMIC_RELEASE);
    return false;
}

static inline void weft__pop_end(struct weft__worker *w)
{
    __atomic_store_n(&w->popping, false, __ATOMIC_RELEASE);
}

/* By the owner. */
static inline struct weft_task *weft__ring_pop(struct weft__worker *w)
{
    struct weft_task *t = NULL;
    uint32_t head = __atomic_load_n(&w->head, __ATOMIC_ACQUIRE);
    if (head == w->tail)
        return NULL;
    if (weft__pop_begin(w)) {
        head = __atomic_load_n(&w->head, __ATOMIC_ACQUIRE);
        if (head != w->tail) {
            t = __atomic_load_n(&w->ring[head % WEFT_RING_SIZE], __ATOMIC_RELAXED);
            __atomic_store_n(&w->head, head + 1, __ATOMIC_RELEASE);
        }
        weft__pop_end(w);
        return t;
    }
    do {
        if (head == w->tail)
            return NULL;
        t = __atomic_load_n(&w->ring[head % WEFT_RING_SIZE], __ATOMIC_RELAXED);
    } while (!__atomic_compare_exchange_n(&w->head, &head, head + 1, false, __ATOMIC_ACQ_REL,
                                          __ATOMIC_ACQUIRE));
    return t;
}

/* Takes up to `max` of the oldest, at most half (rounded up), out of another's ring. */
static inline uint32_t weft__ring_grab(struct weft__worker *from, struct weft_task **out,
                                       uint32_t max)
{
    uint32_t head = __atomic_load_n(&from->head, __ATOMIC_ACQUIRE);
    for (;;) {
        uint32_t count = __atomic_load_n(&from->tail, __ATOMIC_ACQUIRE) - head;
        if (count > WEFT_RING_SIZE) { /* head moved between the two loads */
            head = __atomic_load_n(&from->head, __ATOMIC_ACQUIRE);
            continue;
        }
        count -= count / 2;
        if (count > max)
            count = max;
        if (count == 0)
            return 0;
        for (uint32_t i = 0; i < count; i++)
            out[i] = __atomic_load_n(&from->ring[(head + i) % WEFT_RING_SIZE], __ATOMIC_RELAXED);
        if (__atomic_compare_exchange_n(&from->head, &head, head + count, false, __ATOMIC_ACQ_REL,
                                        __ATOMIC_ACQUIRE))
            return count;
    }
}

/* Empties the slot: by the owner, or by a thief. */
static inline struct weft_task *weft__next_steal(struct weft__worker *w)
{
    struct weft_task *t = __atomic_load_n(&w->next, __ATOMIC_RELAXED);
    if (t &&
        __atomic_compare_exchange_n(&w->next, &t, NULL, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
        return t;
    return NULL;
}

static inline struct weft_task *weft__next_take(struct weft__worker *w)
{
    struct weft_task *t = __atomic_load_n(&w->next, __ATOMIC_RELAXED);
    if (!t)
        return NULL;
    if (!weft__pop_begin(w))
        return weft__next_steal(w);
    t = __atomic_load_n(&w->next, __ATOMIC_RELAXED);
    __atomic_store_n(&w->next, NULL, __ATOMIC_RELAXED);
    weft__pop_end(w);
    return t;
}

/* By the owner: puts `t` in the slot and returns what it takes the place of. */
static inline struct weft_task *weft__next_put(struct weft__worker *w, struct weft_task *t)
{
    struct weft_task *before = __atomic_load_n(&w->next, __ATOMIC_RELAXED);
    if (before) {
        if (!weft__pop_begin(w))
            return __atomic_exchange_n(&w->next, t, __ATOMIC_ACQ_REL);
        before = __atomic_load_n(&w->next, __ATOMIC_RELAXED);
        __atomic_store_n(&w->next, t, __ATOMIC_RELEASE);
        weft__pop_end(w);
        return before;
    }
    __atomic_store_n(&w->next, t, __ATOMIC_RELEASE);
    return NULL;
}

#endif
