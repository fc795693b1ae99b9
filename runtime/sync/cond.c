/* Conditions, and what is done once. */
#include "runtime/sync/announce.h"

void weft_cond_wait(struct weft_cond *cond, struct weft_mutex *mutex)
{
    struct weft_task *t = weft__self_or_die();
    struct weft__waiter w = {.task = t};
    /* In the queue before the mutex is free, and under the guard until the task is parked: a signal
     * by whoever takes the mutex next is not lost, nor does it come too early. */
    weft__lock(&cond->guard);
    weft__waitq_push(&cond->waiters, &w);
    weft__mutex_unlock(mutex, WEFT_CALLER());
    weft__will_wait(t, WEFT__WAIT_COND, cond, false, WEFT_CALLER());
    weft__park(t, &cond->guard);
    weft__mutex_lock(mutex, WEFT_CALLER());
}

void weft_cond_signal(struct weft_cond *cond)
{
    weft__lock(&cond->guard);
    struct weft__waiter *w = weft__waitq_pop(&cond->waiters);
    struct weft_task *wake = w ? w->task : NULL;
    weft__unlock(&cond->guard);
    if (wake)
        weft__ready(wake, cond);
}

void weft_cond_broadcast(struct weft_cond *cond)
{
    weft__lock(&cond->guard);
    struct weft_task *list = weft__waitq_pop_all(&cond->waiters);
    weft__unlock(&cond->guard);
    weft__ready_all(list, cond);
}

/* Also when the task ends in the function. */
static void finish_once(void *arg)
{
    struct weft_once *once = arg;
    __atomic_store_n(&once->done, 1, __ATOMIC_RELEASE);
    weft_mutex_unlock(&once->mutex);
}

/* An initialisation may wait for the outside: to who listens this is no lock like others. */
static void hold_as_once(struct weft_once *once, const void *caller)
{
    weft__releasing(LOITER_WAIT_MUTEX, &once->mutex, &once->mutex.owner);
    weft__acquired(LOITER_WAIT_ONCE, &once->mutex, &once->mutex.owner, WEFT_CALLED_FROM(caller));
}

void weft_once_do(struct weft_once *once, void (*fn)(void *), void *arg)
{
    const void *caller = WEFT_CALLER();
    weft__mutex_lock(&once->mutex, caller);
    if (once->done) {
        weft_mutex_unlock(&once->mutex);
        return;
    }
    hold_as_once(once, caller);
    struct weft_deferred finish;
    weft_defer_enter(&finish, finish_once, once);
    fn(arg);
    weft_defer_leave(&finish);
}
