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

#endif
