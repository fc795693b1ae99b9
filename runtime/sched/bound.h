/*
 * Tasks that stand for one OS thread each: the record with which a plain thread waits, and a task
 * that has locked its thread. The thread runs nothing else, so such a task parks by blocking it.
 */
#ifndef WEFT_SCHED_BOUND_H
#define WEFT_SCHED_BOUND_H

#include "runtime/sched/sched.h"

/* The task that has locked the calling thread; NULL on others. */
struct weft_task *weft__bound_self(void);
void weft__bound_set_self(struct weft_task *t);

/* What a plain thread waits with; made at its first wait and kept until it ends. */
struct weft_task *weft__outside_self(void);

/* Plain threads that sleep in a wait without a time limit. Below zero for an instant. */
extern int32_t weft__outside_asleep;

/* The stand-in for the worker of a thread that has one task; NULL: no memory. It stays readable
 * when it was dropped. */
struct weft__worker *weft__bound_new(struct weft__run *run, struct weft_task *t);
void weft__bound_drop(struct weft__worker *w);

/* The run is over: ends the sleep of the one who stands for it. */
void weft__bound_abandon(struct weft__worker *w);

/* The timer that ends a wait, armed in weft__park_call's function and disarmed after the wait. That
 * of a plain thread is minded by the thread itself: there may be no run. False: no memory. */
struct weft__timer;
bool weft__wait_arm(struct weft_task *t, struct weft__timer *timer, int64_t when);
void weft__wait_disarm(struct weft_task *t, struct weft__timer *timer);

/* Of weft__park and weft__ready: see there. */
void weft__bound_park(struct weft_task *t, uint32_t *lock, void (*fn)(void *), void *arg);
void weft__bound_ready(struct weft_task *t, const void *object);

#endif
