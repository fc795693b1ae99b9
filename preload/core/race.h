/*
 * race.h - one resource that several actors make at once, of which one is used and the others are
 * forgotten: a lazy initialisation without a lock. Guard on.
 *
 * The sign of it: actors that each opened a descriptor at one place, before anybody shared one, go
 * on with one that another of them opened, and leave their own alone. Who opens for himself never
 * uses another's; in a pool each is taken up again.
 */
#ifndef PRELOAD_CORE_RACE_H
#define PRELOAD_CORE_RACE_H

#include <stdint.h>

#include "preload/core/descriptor.h"

#define PL_RACE_MOST 64

struct pl_race {
    _Atomic uint32_t lock;
    uint32_t n;       /* members: opened before any was used by another than its opener */
    uint32_t over;    /* no member is added: one was used by another */
    uint32_t broken;  /* one that was left was taken up again */
    uint32_t told;    /* written to the record */
    int32_t used;     /* the descriptor that others use, -1: none yet */
    uint64_t in_row;  /* times it was used by others, with no other in between */
    uint64_t crossed; /* members (bits) whose openers are among these others */
    uint64_t first_at, last_at;
    uint64_t opener[PL_RACE_MOST];
    int32_t fd[PL_RACE_MOST];
};

/* `fd`, whose entry is filled, was opened. */
PL_HIDDEN void pl_race_opened(const struct pl_self *self, int fd);
PL_HIDDEN void pl_race_closed(const struct pl_outcome *place, int fd);
/* What is found by then is written. */
PL_HIDDEN void pl_races_at_end(void);
PL_HIDDEN void pl_races_reset(void);

#endif
