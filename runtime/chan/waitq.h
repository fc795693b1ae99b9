/*
 * First come, first served: the tasks that wait at one end of a channel or for a lock. The owner's
 * spin lock protects a queue and the waiters in it.
 */
#ifndef WEFT_CHAN_WAITQ_H
#define WEFT_CHAN_WAITQ_H

#include "runtime/sched/sched.h"

/* On the stack of the task that waits. */
struct weft__waiter {
    struct weft__waiter *next, *prev;
    struct weft_task *task;
    void *slot;   /* the value to send, or where to receive; may be NULL */
    uint32_t who; /* its mark in task->won, if several may wake the task; 0: only one */
    bool queued;
    bool passed;   /* out: woken by a partner, and not by a close */
    bool chosen;   /* out, for locks: woken to try for itself, and others are not meanwhile */
    int64_t since; /* for locks that mind how long one waits */
};

/* The head is looked at without the lock as well; see chan.h. */
static inline void weft__waitq_set_head(struct weft_waitq *q, struct weft__waiter *w)
{
    __atomic_store_n(&q->head, w, __ATOMIC_RELEASE);
}

static inline void weft__waitq_push(struct weft_waitq *q, struct weft__waiter *w)
{
    w->next = NULL;
    w->prev = q->tail;
    if (w->prev)
        w->prev->next = w;
    else
        weft__waitq_set_head(q, w);
    q->tail = w;
    w->queued = true;
}

static inline void weft__waitq_push_front(struct weft_waitq *q, struct weft__waiter *w)
{
    w->prev = NULL;
    w->next = q->head;
    if (w->next)
        w->next->prev = w;
    else
        q->tail = w;
    weft__waitq_set_head(q, w);
    w->queued = true;
}

static inline void weft__waitq_remove(struct weft_waitq *q, struct weft__waiter *w)
{
    if (w->prev)
        w->prev->next = w->next;
    else
        weft__waitq_set_head(q, w->next);
    if (w->next)
        w->next->prev = w->prev;
    else
        q->tail = w->prev;
    w->queued = false;
}

/* The first whose task can still run and was woken by nobody else. */
static inline struct weft__waiter *weft__waitq_pop(struct weft_waitq *q)
{
    struct weft__waiter *w;
    while ((w = (struct weft__waiter *)q->head)) {
        weft__waitq_remove(q, w);
        if (weft__abandoned(w->task))
            continue;
        if (w->who == 0 || weft__win(w->task, w->who))
            return w;
    }
    return NULL;
}

/* The tasks of all of them, as a list by `next`. */
static inline struct weft_task *weft__waitq_pop_all(struct weft_waitq *q)
{
    struct weft_task *list = NULL, **tail = &list;
    struct weft__waiter *w;
    while ((w = weft__waitq_pop(q))) {
        w->task->next = NULL;
        *tail = w->task;
        tail = &w->task->next;
    }
    return list;
}

#endif
