/*
 * All armed timers of the process, ordered by when they are due. Each worker has a heap of its own
 * for what its tasks arm, and fires it between tasks; one that has nothing to do fires those of the
 * others too, and the one that sleeps in epoll sleeps no longer than the first of all.
 */
#ifndef WEFT_TIME_TIMERS_H
#define WEFT_TIME_TIMERS_H

#include <stdbool.h>
#include <stdint.h>

struct weft_task;
struct weft__run;
struct weft__worker;
struct weft__timers; /* a heap and its lock */

struct weft__timer {
    int64_t when;              /* of weft_now() */
    int64_t key;               /* of its entry in the heap: `when` or earlier */
    int64_t period;            /* 0: once */
    struct weft__timers *home; /* whose lock protects it, armed or not. Changes under that lock */
    uint32_t place;            /* in the heap of its home, from 1; 0: not armed */
    /* Called with the home locked, so whoever disarms a timer knows that this is over or will not
     * happen. Must not wait, arm or disarm. */
    void (*fire)(struct weft__timer *timer, int64_t now);
    /* The run is over and it will not fire; NULL: nothing to do then. */
    void (*drop)(struct weft__timer *timer);
};

/* Before its first use, while nobody else knows of it; the rest of it is zero. */
void weft__timer_init(struct weft__timer *timer,
                      void (*fire)(struct weft__timer *timer, int64_t now));

/* Arms it, anew if it is armed already; false: no memory. It is not read again once it may fire. */
bool weft__timer_start(struct weft__timer *timer, int64_t when);

/* Disarms it. True: it was armed. False: its function is over, or was not to run. */
bool weft__timer_cancel(struct weft__timer *timer);

/* The same in steps, where more belongs to them. What set returned is for unlock, which it tells
 * whether some worker's sleep is now too long. */
enum weft__armed { WEFT__NOT_ARMED, WEFT__ARMED, WEFT__ARMED_FIRST };

void weft__timer_lock(struct weft__timer *timer);
enum weft__armed weft__timer_set(struct weft__timer *timer, int64_t when, int64_t period);
bool weft__timer_unset(struct weft__timer *timer);
void weft__timer_unlock(struct weft__timer *timer, enum weft__armed armed);

/* The names of before, for callers that still use them: each takes the lock by itself. */
static inline void weft__timers_lock(void) {}
static inline void weft__timers_unlock(void) {}
static inline void weft__timers_armed(int64_t when)
{
    (void)when;
}
bool weft__timer_arm(struct weft__timer *timer, int64_t when, int64_t period);
bool weft__timer_disarm(struct weft__timer *timer);

/* A task that sleeps: it is made ready at `when` and by nothing else. */
struct weft__sleeper {
    struct weft__timer timer;
    struct weft_task *task;
};

/* Called when the task is parked, and not read again. False: no memory. */
bool weft__sleeper_start(struct weft__sleeper *sleeper);

/* When the first of all is due, or earlier; INT64_MAX without one. */
int64_t weft__timers_next(void);

/* Fires those of the worker that are due; or those of all. */
void weft__timers_run(struct weft__worker *w);
void weft__timers_run_all(struct weft__worker *w);

/* The run is over: none is armed any more. */
void weft__timers_clear(void);

/* now + ns, without overflow. */
int64_t weft__after_ns(int64_t ns);

#endif
