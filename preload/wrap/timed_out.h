/*
 * timed_out.h - waits for a condition or a semaphore that their time limit ended. One that was to
 * last no longer than a moment is a look at what is waited for, as a short sleep is.
 */
#ifndef PRELOAD_WRAP_TIMED_OUT_H
#define PRELOAD_WRAP_TIMED_OUT_H

#include <time.h>

#include "preload/core/clock.h"
#include "preload/wrap/io.h"
#include "preload/wrap/lock.h"

/* How long ago the limit was; -1 where it is still to come, by this clock. */
static inline int64_t pl_limit_past(clockid_t clock, const struct timespec *at)
{
    struct timespec now;
    if (clock_gettime(clock, &now) != 0)
        return -1;
    const int64_t s = now.tv_sec - at->tv_sec;
    return s < 0 || s > INT32_MAX ? -1 : s * 1000000000 + now.tv_nsec - at->tv_nsec;
}

/* What the wait was meant to last, and not what it did: others may have had the processor. */
static inline int pl_limit_brief(clockid_t clock, const struct timespec *at, uint64_t lasted_ns)
{
    const int64_t past = pl_limit_past(clock, at);
    return past >= 0 && lasted_ns < (uint64_t)past + NAP_NS;
}

/* `before`: pl_spin_waited() as it was before the wait. */
static inline void pl_timed_out(const struct pl_wait *w, uint64_t before, clockid_t clock,
                                const struct timespec *at, struct pl_call call)
{
    if (w->actor == NULL)
        return;
    const uint64_t now = pl_now();
    if (pl_limit_brief(clock, at, pl_ns_of_ticks(now > w->began ? now - w->began : 0)))
        pl_spin_napped(before, call);
}

#endif
