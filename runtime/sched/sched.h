/* What the rest of the runtime asks of the scheduler: who runs, park, ready, spawn. */
#ifndef WEFT_SCHED_SCHED_H
#define WEFT_SCHED_SCHED_H

#include <weft.h>

#include "runtime/sched/fatal.h"
#include "runtime/sched/lock.h"
#include "runtime/sched/task.h"

#define WEFT_CALLER() __builtin_return_address(0)

/* The number of the open run, 0 without one. Tasks of other runs never run again. */
extern uint32_t weft__open_epoch;

static inline uint32_t weft__epoch_of(const struct weft_task *t)
{
    return t->epoch & ~WEFT__BOUND;
}

static inline bool weft__abandoned(const struct weft_task *t)
{
    uint32_t open = __atomic_load_n(&weft__open_epoch, __ATOMIC_RELAXED);
    return t->epoch != open && weft__epoch_of(t) != open && t->epoch != WEFT__BOUND;
}

/* The worker of the calling OS thread; NULL on others. Never inlined, and opaque to the compiler:
 * its result is stale after any switch. */
struct weft__worker *weft__worker(void);

/* The running task; NULL outside one. */
struct weft_task *weft__self(void);

/* What the caller waits with: the running task; outside one, a record that stands for the thread.
 * Without memory for that it is the end of the program. */
struct weft_task *weft__self_or_die(void);

/* Says what the task is going to wait for. Under the lock that keeps it from being made ready. */
void weft__will_wait(struct weft_task *t, enum weft__wait why, const void *object, bool timed,
                     const void *caller);

/* The same for any number of objects. */
void weft__will_wait_all(struct weft_task *t, enum weft__wait why, const void *const *objects,
                         unsigned n, bool timed, const void *caller);

/* Stops running the task; returns when it was made ready and runs again. The lock, if not NULL, is
 * given up once nobody runs on its stack. A task with a thread of its own blocks that. */
void weft__park(struct weft_task *t, uint32_t *lock);

/* The same, with a function called then (on another stack; it must not wait). */
void weft__park_call(struct weft_task *t, void (*fn)(void *), void *arg);

/* Lets a parked task run. Once for each park. From any thread. */
void weft__ready(struct weft_task *t, const void *object);

/* One of those that may wake it: true for the one that shall. */
static inline bool weft__win(struct weft_task *t, uint32_t who)
{
    uint32_t open = 0;
    return __atomic_compare_exchange_n(&t->won, &open, who, false, __ATOMIC_ACQ_REL,
                                       __ATOMIC_ACQUIRE);
}

/* A task that is to be. */
struct weft__spawn {
    void (*fn)(void *);
    void (*start)(void *); /* what is announced as its function */
    void *arg;
    size_t size; /* not 0: that many bytes at `arg` are copied */
};

/* 0, -ENOMEM, -ESRCH. */
int weft__spawn(const struct weft__spawn *spawn, const void *caller);

/* Numbers that are hard to foresee, for fairness. */
uint32_t weft__random(void);

#endif
