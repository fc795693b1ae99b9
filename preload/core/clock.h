/*
 * clock.h - the trace clock: ticks of the TSC, or nanoseconds, since the record began.
 */
#ifndef PRELOAD_CORE_CLOCK_H
#define PRELOAD_CORE_CLOCK_H

#include <stdint.h>

#include "preload/core/gate.h"

PL_HIDDEN uint64_t pl_now(void);
PL_HIDDEN uint64_t pl_ticks_of_ns(uint64_t ns);
PL_HIDDEN uint64_t pl_ns_of_ticks(uint64_t ticks);

#endif
