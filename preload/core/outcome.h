/*
 * outcome.h - what becomes of the things of one kind that are made at one place: how many are made,
 * how many at once, how many are given up before their use is over. Guard on.
 */
#ifndef PRELOAD_CORE_OUTCOME_H
#define PRELOAD_CORE_OUTCOME_H

#include <stdint.h>

#include "eventlog/events.h"
#include "eventlog/kinds.h"
#include "preload/core/gate.h"
#include "preload/core/site.h"

/* A place's cell, and the second that is being counted. */
struct pl_outcome {
    struct el_outcome *cell; /* never NULL */
    struct pl_tally made, gone, lost;
    uint64_t second_from; /* the clock when it began */
    uint64_t second_made; /* cell->made then */
    uint64_t closes;      /* descriptors: closed late, one after the other, up to now */
    uint64_t last_opener; /* of descriptors, see race.h */
    struct pl_race *race; /* NULL as long as one actor alone opened there */
    int32_t last_fd;
    int32_t pad;
};

/* Finds or makes; NULL when there is no room. `how`: el_left, or 0. */
PL_HIDDEN struct pl_outcome *pl_outcome_get(enum el_object_kind kind, uint32_t stack, uint32_t how);
/* Of `how` 0; NULL when nothing was made there. */
PL_HIDDEN struct pl_outcome *pl_outcome_find(enum el_object_kind kind, uint32_t stack);

/* One was made, that takes so much memory, where the clock reads `now`. Gives how many were made
 * so far, this one included. */
PL_HIDDEN uint64_t pl_outcome_made(struct pl_outcome *outcome, uint64_t bytes, uint64_t now);
/* So many were made one after the other, by one thread, and all but the last of them at most given
 * up and destroyed again before the next: `gone`. */
PL_HIDDEN void pl_outcome_passed(struct pl_outcome *outcome, uint64_t made, uint64_t gone,
                                 uint64_t now);
/* One is destroyed. */
PL_HIDDEN void pl_outcome_gone(struct pl_outcome *outcome);
/* One was given up at `stack` (0: keeps the last); it is destroyed now or later. */
PL_HIDDEN void pl_outcome_lost(struct pl_outcome *outcome, uint32_t stack);

/* The cells' counts as they stand: see pl_sites_settle. */
PL_HIDDEN void pl_outcomes_settle(void);

PL_HIDDEN void pl_outcomes_reset(void);

#endif
