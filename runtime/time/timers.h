/*
 * All armed timers of the process, ordered by when they are due. Each worker has a heap of its own
 * for what its tasks arm, and fires it between tasks; one that has nothing to do fires those of the
 * others too, and the one that sleeps in epoll sleeps no longer than the first of all.
 */
#ifndef WEFT_TIME_TIMERS_H
#define WEFT_TIME_TIMERS_H

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "runtime/sched/solo.h"
#include "runtime/time/clock.h"
#include "runtime/time/heap.h"

struct weft_task;
struct weft__run;
struct weft__worker;

/* The timers of one worker. */
struct weft__timers {
    alignas(64) uint32_t lock; /* of the heap and of all timers that are at home here */
    int64_t next;              /* the first key, for reading without the lock; INT64_MAX: none */
    struct weft__heap heap;
};

struct weft__timer {
    int64_t when;              /* of weft_now() */
    int64_t key;               /* of its entry in the heap: `when` or earlier */
    int64_t period;            /* 0: once */
    struct weft__timers *home; /* whose lock protects it, armed or not. Changes under that lock */
    uint32_t place;            /* in the heap of its home, from 1; 0: not armed */
    /* A lock that is taken as well before it fires, or NULL. Others arm timers while they hold such
     * a lock, so nobody may wait for it who has locked the home: if it is not free at once, the
     * timer stays due. */
    uint32_t *also;
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

/* The same of one that was never armed and that nobody else knows. */
bool weft__timer_start_new(struct weft__timer *timer, int64_t when, int64_t period);

/* Disarms it. True: it was armed. False: its function is over, or was not to run. */
bool weft__timer_cancel(struct weft__timer *timer);

/* The same in steps, where more belongs to them. What set returned is for unlock, which it tells
 * whether some worker's sleep is now too long. */
enum weft__armed { WEFT__NOT_ARMED, WEFT__ARMED, WEFT__ARMED_FIRST };

enum weft__armed weft__timer_set_slow(struct weft__timer *timer, int64_t when, int64_t period);
bool weft__timer_unset(struct weft__timer *timer);
void weft__timer_armed_first(int64_t when);

/* With the lock of `home`: whether that protects the timer. */
static inline bool weft__timer_is_of(const struct weft__timer *timer,
                                     const struct weft__timers *home)
{
    return __builtin_expect(__atomic_load_n(&timer->home, __ATOMIC_RELAXED) == home, 1);
}

static inline void weft__timer_lock(struct weft__timer *timer)
{
    for (;;) {
        struct weft__timers *home = __atomic_load_n(&timer->home, __ATOMIC_ACQUIRE);
        weft__solo_lock(&home->lock);
        if (weft__timer_is_of(timer, home))
            return;
        weft__unlock(&home->lock);
    }
}

/* Moves an armed one to later: its entry comes up too early and is put right then. False: it is not
 * armed, or `when` is earlier. */
static inline bool weft__timer_delay(struct weft__timer *timer, int64_t when)
{
    if (timer->place == 0 || when < timer->key)
        return false;
    timer->when = when;
    return true;
}

static inline enum weft__armed weft__timer_set(struct weft__timer *timer, int64_t when,
                                               int64_t period)
{
    if (!weft__timer_delay(timer, when))
        return weft__timer_set_slow(timer, when, period);
    timer->period = period;
    return WEFT__ARMED;
}

static inline void weft__timer_unlock(struct weft__timer *timer, enum weft__armed armed)
{
    int64_t when = timer->when;
    weft__unlock(&timer->home->lock);
    if (__builtin_expect(armed == WEFT__ARMED_FIRST, 0))
        weft__timer_armed_first(when);
}

/* The task, which is parked, is made ready at `when`, and by nothing else. False: no memory. */
bool weft__sleep_until(struct weft_task *task, int64_t when);

/* When the first of all is due, or earlier; INT64_MAX without one. */
int64_t weft__timers_next(void);

/* Fires those that are due of the worker, or of all. */
void weft__timers_run(struct weft__worker *w);
void weft__timers_run_all(struct weft__worker *w);

/* Says what a timer takes of memory, to who listens. */
void weft__timers_announce_sizes(void);

/* Frees what the worker keeps for its next timer. */
void weft__timer_drop_spare(struct weft__worker *w);

/* The run is over: none is armed any more. */
void weft__timers_clear(void);

#endif
