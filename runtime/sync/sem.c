/*
 * The weighted semaphore.
 *
 * A task that has to wait may be woken by a release, by its context or by time. As in select, each
 * of them must first change task->won from 0; the locks are given up on another stack, and the task
 * takes them again before it goes on. The order is: the semaphore's guard, the channel's lock, that
 * of the timers.
 *
 * Nobody overtakes: while somebody waits, later ones queue, so a large request is not starved by
 * small ones.
 */
#include <errno.h>
#include <stdlib.h>

#include "runtime/chan/chan.h"
#include "runtime/sched/bound.h"
#include "runtime/time/timers.h"

enum { BY_RELEASE = 1, BY_CONTEXT = 2, BY_TIME = 3 };

struct weft_sem {
    uint32_t guard;
    int64_t size, held;
    const void *released_at;
    struct weft_waitq waiters; /* of struct acquisition, by its first member */
};

/* On the stack of the task that waits. */
struct acquisition {
    struct weft__waiter waiter;
    struct weft__waiter cancelled; /* in the queue of `done` */
    struct weft_sem *sem;
    struct weft_chan *done; /* NULL: no context to mind */
    int64_t n;
    bool timed;
    struct weft__timer timer;
};

struct weft_sem *weft_sem_new(int64_t size)
{
    if (size < 0)
        weft__fatal_object("negative size of a semaphore", NULL, WEFT_CALLER(), NULL, NULL);
    struct weft_sem *sem = calloc(1, sizeof *sem);
    if (!sem)
        return NULL;
    sem->size = size;
    LOITER_CALL(loiter_object_created, (LOITER_OBJ_SEM, sem, (size_t)size, WEFT_CALLER()));
    return sem;
}

void weft_sem_free(struct weft_sem *sem)
{
    if (!sem)
        return;
    LOITER_CALL(loiter_object_destroyed, (LOITER_OBJ_SEM, sem, 0));
    free(sem);
}

/* ---- giving ---- */

/* Gives what is free to those who came first, as far as it goes; a list of tasks to be woken. */
static struct weft_task *serve_locked(struct weft_sem *sem)
{
    struct weft_task *list = NULL, **tail = &list;
    struct acquisition *a;
    while ((a = (struct acquisition *)sem->waiters.head)) {
        struct weft_task *t = a->waiter.task;
        bool gone = weft__abandoned(t);
        if (!gone && sem->size - sem->held < a->n)
            break;
        weft__waitq_remove(&sem->waiters, &a->waiter);
        if (gone || !weft__win(t, BY_RELEASE))
            continue;
        sem->held += a->n;
        t->next = NULL;
        *tail = t;
        tail = &t->next;
    }
    return list;
}

__attribute__((noinline)) static void serve_and_unlock(struct weft_sem *sem)
{
    struct weft_task *list = serve_locked(sem);
    weft__unlock(&sem->guard);
    weft__ready_all(list, sem);
}

void weft_sem_release(struct weft_sem *sem, int64_t n)
{
    const void *caller = WEFT_CALLER();
    if (n < 0)
        weft__fatal_object("negative release of a semaphore", sem, caller, NULL, NULL);
    weft__lock(&sem->guard);
    if (n > sem->held)
        weft__fatal_object("semaphore released more than held", sem, caller, "released before",
                           sem->released_at);
    sem->held -= n;
    sem->released_at = caller;
    if (__builtin_expect(sem->waiters.head != NULL, 0)) {
        serve_and_unlock(sem);
        return;
    }
    weft__unlock(&sem->guard);
}

/* ---- taking ---- */

static bool take_locked(struct weft_sem *sem, int64_t n)
{
    if (sem->waiters.head || sem->size - sem->held < n)
        return false;
    sem->held += n;
    return true;
}

static void check_units(const struct weft_sem *sem, int64_t n, const void *caller)
{
    if (n < 0)
        weft__fatal_object("negative acquire of a semaphore", sem, caller, NULL, NULL);
}

int weft_sem_try_acquire(struct weft_sem *sem, int64_t n)
{
    check_units(sem, n, WEFT_CALLER());
    weft__lock(&sem->guard);
    bool taken = take_locked(sem, n);
    weft__unlock(&sem->guard);
    if (!taken)
        weft__spins(weft__worker(), true, WEFT_CALLER());
    return taken ? 0 : -EBUSY;
}

static void on_time(struct weft__timer *timer, int64_t now)
{
    struct acquisition *a =
        (struct acquisition *)(void *)((char *)timer - offsetof(struct acquisition, timer));
    (void)now;
    if (weft__win(a->waiter.task, BY_TIME))
        weft__ready(a->waiter.task, NULL);
}

/* Once nobody runs on the task's stack, which is not read after the guard is given up. */
static void arm_and_unlock(void *arg)
{
    struct acquisition *a = arg;
    struct weft_sem *sem = a->sem;
    if (a->timed && !weft__wait_arm(a->waiter.task, &a->timer, a->timer.when))
        weft__fatal("no memory for a timer");
    if (a->done)
        weft__unlock(&a->done->lock);
    weft__unlock(&sem->guard);
}

/* Takes the task out of every queue. Who left the head may have kept others waiting. */
static void leave(struct acquisition *a)
{
    struct weft_task *list = NULL;
    weft__lock(&a->sem->guard);
    if (a->waiter.queued) {
        weft__waitq_remove(&a->sem->waiters, &a->waiter);
        list = serve_locked(a->sem);
    }
    if (a->done) {
        weft__chan_lock(a->done);
        if (a->cancelled.queued)
            weft__waitq_remove(&a->done->receivers, &a->cancelled);
        weft__unlock(&a->done->lock);
    }
    weft__unlock(&a->sem->guard);
    weft__ready_all(list, a->sem);
    if (a->timed)
        weft__wait_disarm(a->waiter.task, &a->timer);
}

/* Parks, with the guard and the lock of `done` held; who woke the task. */
static uint32_t wait_locked(struct acquisition *a, const void *caller)
{
    struct weft_task *t = a->waiter.task;
    const void *objects[] = {a->sem, a->done};
    __atomic_store_n(&t->won, 0, __ATOMIC_RELAXED);
    if (a->n <= a->sem->size) /* else no release will ever be enough */
        weft__waitq_push(&a->sem->waiters, &a->waiter);
    if (a->done)
        weft__waitq_push(&a->done->receivers, &a->cancelled);
    weft__will_wait_all(t, WEFT__WAIT_SEM, objects, a->done ? 2 : 1, a->timed, caller);
    __atomic_store_n(&t->object, (const void *)a->sem, __ATOMIC_RELAXED);
    weft__park_call(t, arm_and_unlock, a);
    uint32_t won = __atomic_load_n(&t->won, __ATOMIC_ACQUIRE);
    leave(a);
    return won;
}

/* With the guard held. */
__attribute__((noinline)) static int queue_locked(struct weft_sem *sem, struct weft_ctx *ctx,
                                                  int64_t n, int64_t timeout_ns, const void *caller)
{
    struct weft_task *t = weft__self_or_die();
    struct acquisition a = {.waiter = {.task = t, .who = BY_RELEASE},
                            .cancelled = {.task = t, .who = BY_CONTEXT},
                            .sem = sem,
                            .done = weft_ctx_done(ctx),
                            .n = n,
                            .timed = timeout_ns > 0};
    if (a.timed)
        a.timer = (struct weft__timer){.when = weft__after_ns(timeout_ns), .fire = on_time};
    if (a.done)
        weft__chan_lock(a.done);
    if (a.done && a.done->closed) {
        weft__unlock(&a.done->lock);
        weft__unlock(&sem->guard);
        return weft_ctx_err(ctx);
    }
    switch (wait_locked(&a, caller)) {
    case BY_RELEASE:
        return 0;
    case BY_CONTEXT:
        return weft_ctx_err(ctx);
    default:
        return -ETIMEDOUT;
    }
}

static inline int acquire(struct weft_sem *sem, struct weft_ctx *ctx, int64_t n, int64_t timeout_ns,
                          const void *caller)
{
    check_units(sem, n, caller);
    int err = ctx ? weft_ctx_err(ctx) : 0;
    if (err)
        return err;
    weft__lock(&sem->guard);
    bool taken = take_locked(sem, n);
    if (!taken && timeout_ns != 0)
        return queue_locked(sem, ctx, n, timeout_ns, caller);
    weft__unlock(&sem->guard);
    return taken ? 0 : -ETIMEDOUT;
}

int weft_sem_acquire(struct weft_sem *sem, struct weft_ctx *ctx, int64_t n)
{
    return acquire(sem, ctx, n, WEFT_FOREVER, WEFT_CALLER());
}

int weft_sem_acquire_for(struct weft_sem *sem, int64_t n, int64_t timeout_ns)
{
    return acquire(sem, NULL, n, timeout_ns, WEFT_CALLER());
}
