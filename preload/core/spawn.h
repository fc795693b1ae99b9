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

/* `parent` begins to wait; `child` (any actor) ended the wait of `parent`. */
PL_HIDDEN void pl_spawn_waits(struct pl_actor *parent);
PL_HIDDEN void pl_spawn_woken(struct pl_actor *parent, uint64_t waker, uint64_t waker_creator,
                              const struct pl_site *waker_site);

#endif
