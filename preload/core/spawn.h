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
/* One more of the run was made, and so many are alive at the place. */
PL_HIDDEN void pl_spawn_pressed(struct pl_spawn_run *run);
PL_INLINE void pl_spawn_count(struct pl_spawn_run *run, uint64_t live)
{
    if (run->pressed)
        pl_spawn_pressed(run);
    run->made++;
    pl_raise_simply(&run->site->cell->run_peak, live < run->made ? live : run->made);
}
/* The run of a parent that has `spawns`; NULL: there is none yet. */
static inline struct pl_spawn_run *pl_spawn_run_known(struct pl_actor *parent,
                                                      const struct pl_site *site)
{
    for (uint32_t i = 0; i < PL_SPAWN_RUNS; i++)
        if (parent->spawns[i].site == site)
            return &parent->spawns[i];
    return NULL;
}
/* The child ended. */
PL_HIDDEN void pl_spawn_ended(struct pl_actor *child);

/* `parent`, who has spawned, begins to wait; `child` (any actor) ended the wait of `parent`. */
PL_INLINE void pl_spawn_waits(struct pl_actor *parent)
{
    for (uint32_t i = 0; i < PL_SPAWN_RUNS && parent->spawns[i].site != NULL; i++) {
        struct pl_spawn_run *run = &parent->spawns[i];
        run->live = __atomic_load_n(&run->site->cell->live, __ATOMIC_RELAXED);
    }
}
PL_INLINE void pl_spawn_woken(struct pl_actor *parent, uint64_t waker, uint64_t waker_creator,
                              const struct pl_site *waker_site)
{
    if (waker == 0 || waker_creator != parent->id || waker_site == NULL || parent->spawns == NULL)
        return;
    for (uint32_t i = 0; i < PL_SPAWN_RUNS; i++)
        if (parent->spawns[i].site == waker_site)
            parent->spawns[i].pressed = 1;
}

#endif
