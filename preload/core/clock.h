/*
 * clock.h - the trace clock: ticks of the TSC, or nanoseconds, since the record began.
 */
#ifndef PRELOAD_CORE_CLOCK_H
#define PRELOAD_CORE_CLOCK_H

#include <stdint.h>

#include "preload/core/record.h"

static inline uint64_t pl_now(void)
{
    return el_now(&pl_log);
}

static inline uint64_t pl_ticks_of_ns(uint64_t ns)
{
    return el_ns_to_ticks(&pl_log, ns);
}

static inline uint64_t pl_ns_of_ticks(uint64_t ticks)
{
    return el_ticks_to_ns(&pl_log, ticks);
}

/* How fast the machine is goes into the summary, so that durations of some instructions can be
 * judged on any: takes 2 us. */
PL_HIDDEN void pl_clock_measure(void);

/*
 * The time of what happens very often. Where a runtime ticks (loiter_tick), the clock is read each
 * PL_STAMPS_MOST times; in between it moves on a little each time, so that the order of what a
 * thread does stays: which tasks were made before another began to wait tells a pool from growth.
 */
#define PL_STAMPS_MOST 64
extern PL_HIDDEN _Atomic uint64_t
    pl_coarse; /* the clock at the last tick of the run; 0: none yet */

/* Without a call, where this says that none is needed. There are no stamps to be had before the
 * first tick. */
PL_INLINE int pl_stamps_go_on(const struct pl_self *self)
{
    return self->stamps != 0;
}
PL_INLINE uint64_t pl_stamp_after(struct pl_self *self, uint64_t tick)
{
    self->stamps--;
    return self->now = (self->now < tick ? tick : self->now) + 1;
}
PL_INLINE uint64_t pl_stamp_on(struct pl_self *self)
{
    return pl_stamp_after(self, atomic_load_explicit(&pl_coarse, memory_order_relaxed));
}

/* `tick`: pl_coarse, and not 0. */
PL_INLINE uint64_t pl_stamp_from(struct pl_self *self, uint64_t tick)
{
    if (__builtin_expect(self->stamps == 0, 0)) {
        self->stamps = PL_STAMPS_MOST;
        return self->now = pl_now();
    }
    return pl_stamp_after(self, tick);
}

PL_INLINE uint64_t pl_stamp(struct pl_self *self)
{
    uint64_t tick = atomic_load_explicit(&pl_coarse, memory_order_relaxed);
    if (tick != 0)
        return pl_stamp_from(self, tick);
    self->stamps = 0;
    return self->now = pl_now();
}

#endif
