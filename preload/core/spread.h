/*
 * spread.h - how durations at one place are spread: a histogram, and the busiest second. Guard on.
 */
#ifndef PRELOAD_CORE_SPREAD_H
#define PRELOAD_CORE_SPREAD_H

#include <stdint.h>

#include "eventlog/events.h"
#include "eventlog/kinds.h"
#include "preload/core/gate.h"

struct pl_spread {
    struct el_spread *cell;  /* never NULL */
    _Atomic uint64_t second; /* that is being counted, by number */
    _Atomic uint64_t before; /* measured before it began */
};

/* Finds or makes; NULL when there is no room. One of `every` is measured at such places. */
PL_HIDDEN struct pl_spread *pl_spread_get(enum el_spread_kind kind, uint32_t stack, uint32_t every);

/* One that took so long; the clock reads `now`. The second: `n` like it. */
PL_HIDDEN void pl_spread_add(struct pl_spread *spread, uint64_t ns, uint64_t now);
PL_HIDDEN void pl_spread_add_many(struct pl_spread *spread, uint32_t n, uint64_t ns, uint64_t now);
/* The same, found or made, in ticks; nothing when there is no room. */
PL_HIDDEN void pl_spread_note(enum el_spread_kind kind, uint32_t stack, uint32_t every,
                              uint64_t ticks, uint64_t now);

/* At the start and in a fork child. */
PL_HIDDEN void pl_spreads_reset(void);

#endif
