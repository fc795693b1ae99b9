/*
 * All armed timers of the process, ordered by when they fire. Workers fire them between tasks; the
 * one that sleeps in epoll sleeps no longer than the first.
 */
#ifndef WEFT_TIME_TIMERS_H
#define WEFT_TIME_TIMERS_H

#include <stdbool.h>
#include <stdint.h>

struct weft__timer {
    int64_t when;   /* of weft_now() */
    int64_t period; /* 0: once */
    uint32_t place; /* in the heap, from 1; 0: not armed */
    /* Called with the timers locked, so whoever disarms a timer knows that this is over or will not
     * happen. Must not wait, arm or disarm. */
    void (*fire)(struct weft__timer *timer, int64_t now);
    /* The run is over and it will not fire; NULL: nothing to do then. */
    void (*drop)(struct weft__timer *timer);
};

/* The lock over timers: disarm and what belongs to it in one step. */
void weft__timers_lock(void);
void weft__timers_unlock(void);

/* With the lock held. arm: anew if it is armed already; false: no memory. disarm: true if it was
 * armed. */
bool weft__timer_arm(struct weft__timer *timer, int64_t when, int64_t period);
bool weft__timer_disarm(struct weft__timer *timer);

/* Without the lock: the sleep of some worker is cut short if it would miss this timer. */
void weft__timers_armed(int64_t when);

/* When the first fires; INT64_MAX without one. */
int64_t weft__timers_next(void);

/* Fires those that are due, for a worker of `run`. */
struct weft__run;
void weft__timers_run(struct weft__run *run);

/* The run is over: none is armed any more. */
void weft__timers_clear(void);

/* now + ns, without overflow. */
int64_t weft__after_ns(int64_t ns);

#endif
