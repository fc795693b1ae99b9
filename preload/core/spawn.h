/*
 * spawn.h - the population of a place that makes threads or tasks, and its back-pressure.
 *
 * Back-pressure is a wait of the spawner that one of its own children ended, after which it spawned
 * on at the same place. What it makes between two such waits is a run; the site keeps the most that
 * were alive out of one run. Guard on.
 */
#ifndef PRELOAD_CORE_SPAWN_H
#define PRELOAD_CORE_SPAWN_H

#include <stdint.h>

#include "preload/core/actor.h"

/* `parent` (may be NULL) made `child` at `site`, where the clock reads `now`. */
PL_HIDDEN void pl_spawned(struct pl_self *self, struct pl_actor *parent, struct pl_actor *child,
                          struct pl_site *site, uint64_t bytes, uint64_t now);
/* The child ended. */
PL_HIDDEN void pl_spawn_ended(struct pl_actor *child);

/* `parent`, who has spawned, begins to wait; `child` (any actor) ended the wait of `parent`. */
static inline void pl_spawn_waits(struct pl_actor *parent)
{
    for (uint32_t i = 0; i < PL_SPAWN_RUNS && parent->spawns[i].site != NULL; i++) {
        struct pl_spawn_run *run = &parent->spawns[i];
        run->live = __atomic_load_n(&run->site->cell->live, __ATOMIC_RELAXED);
    }
}
static inline void pl_spawn_woken(struct pl_actor *parent, uint64_t waker, uint64_t waker_creator,
                                  const struct pl_site *waker_site)
{
    if (waker == 0 || waker_creator != parent->id || waker_site == NULL || parent->spawns == NULL)
        return;
    for (uint32_t i = 0; i < PL_SPAWN_RUNS; i++)
        if (parent->spawns[i].site == waker_site)
            parent->spawns[i].pressed = 1;
}

#endif
