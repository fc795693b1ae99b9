/*
 * The readers-writer mutex, all under its guard. A waiting writer keeps later readers out; when it
 * leaves, the readers that came meanwhile go first. So neither side starves.
 */
#include <errno.h>

#include "runtime/sync/announce.h"

/* Makes all tasks of a queue ready, after the guard is given up. */
static void wake_all(struct weft_task *list, const void *object)
{
    while (list) {
        struct weft_task *t = list;
        list = t->next;
        weft__ready(t, object);
    }
}

static void wait(struct weft_rwmutex *rw, struct weft_waitq *q, enum weft__wait why,
                 const void *caller)
{
    struct weft_task *t = weft__self_or_die();
    struct weft__waiter w = {.task = t};
    weft__waitq_push(q, &w);
    weft__will_wait(t, why, rw, false, caller);
    weft__park(t, &rw->guard);
}

/* ---- reading ---- */

static bool may_read(const struct weft_rwmutex *rw)
{
    return !rw->writing && !rw->write_waiters.head;
}

void weft_rwmutex_rlock(struct weft_rwmutex *rw)
{
    weft__lock(&rw->guard);
    if (may_read(rw)) {
        rw->readers++;
        weft__unlock(&rw->guard);
    } else {
        wait(rw, &rw->read_waiters, WEFT__WAIT_RLOCK, WEFT_CALLER()); /* counted by who wakes it */
    }
    weft__acquired(LOITER_WAIT_RLOCK, rw, NULL, WEFT_CALLER());
}

int weft_rwmutex_try_rlock(struct weft_rwmutex *rw)
{
    weft__lock(&rw->guard);
    bool ok = may_read(rw);
    if (ok)
        rw->readers++;
    weft__unlock(&rw->guard);
    if (!ok)
        return -EBUSY;
    weft__acquired(LOITER_WAIT_RLOCK, rw, NULL, WEFT_CALLER());
    return 0;
}

void weft_rwmutex_runlock(struct weft_rwmutex *rw)
{
    struct weft__waiter *w = NULL;
    weft__releasing(rw, NULL);
    weft__lock(&rw->guard);
    if (rw->readers <= 0) {
        weft__unlock(&rw->guard);
        weft__fatal("runlock of rwmutex that is not read-locked");
    }
    if (--rw->readers == 0 && (w = weft__waitq_pop(&rw->write_waiters)))
        rw->writing = 1;
    struct weft_task *wake = w ? w->task : NULL;
    weft__unlock(&rw->guard);
    if (wake)
        weft__ready(wake, rw);
}

/* ---- writing ---- */

void weft_rwmutex_lock(struct weft_rwmutex *rw)
{
    weft__lock(&rw->guard);
    if (!rw->writing && rw->readers == 0) {
        rw->writing = 1;
        weft__unlock(&rw->guard);
    } else {
        wait(rw, &rw->write_waiters, WEFT__WAIT_WLOCK, WEFT_CALLER()); /* set by who wakes it */
    }
    weft__acquired(LOITER_WAIT_WLOCK, rw, &rw->owner, WEFT_CALLER());
}

int weft_rwmutex_try_lock(struct weft_rwmutex *rw)
{
    weft__lock(&rw->guard);
    bool ok = !rw->writing && rw->readers == 0;
    if (ok)
        rw->writing = 1;
    weft__unlock(&rw->guard);
    if (!ok)
        return -EBUSY;
    weft__acquired(LOITER_WAIT_WLOCK, rw, &rw->owner, WEFT_CALLER());
    return 0;
}

/* With the guard held: lets in the readers that wait, or else the next writer. */
static struct weft_task *successors(struct weft_rwmutex *rw)
{
    struct weft_task *list = NULL, **tail = &list;
    struct weft__waiter *w;
    while ((w = weft__waitq_pop(&rw->read_waiters))) {
        rw->readers++;
        w->task->next = NULL;
        *tail = w->task;
        tail = &w->task->next;
    }
    if (!list && (w = weft__waitq_pop(&rw->write_waiters))) {
        rw->writing = 1;
        w->task->next = NULL;
        list = w->task;
    }
    return list;
}

void weft_rwmutex_unlock(struct weft_rwmutex *rw)
{
    weft__releasing(rw, &rw->owner);
    weft__lock(&rw->guard);
    if (!rw->writing) {
        weft__unlock(&rw->guard);
        weft__fatal("unlock of unlocked rwmutex");
    }
    rw->writing = 0;
    struct weft_task *list = successors(rw);
    weft__unlock(&rw->guard);
    wake_all(list, rw);
}
