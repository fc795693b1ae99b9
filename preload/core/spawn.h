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
/* Its spawner goes on after back-pressure. Of two parents that come here at once one may count for
 * nothing. */
PL_INLINE void pl_spawn_pressed(struct pl_spawn_run *run, struct el_site *cell)
{
    run->pressed = 0;
    run->made = 0;
    __atomic_store_n(&cell->backpressure,
                     __atomic_load_n(&cell->backpressure, __ATOMIC_RELAXED) + 1, __ATOMIC_RELAXED);
    pl_raise_simply(&cell->backpressure_live, run->live);
}
/* `n` more of the run, which is of that site, were made, and so many are alive there. */
PL_INLINE void pl_spawn_count(struct pl_spawn_run *run, struct pl_site *site, uint32_t n,
                              uint64_t live)
{
    struct el_site *cell = site->cell;
    if (run->pressed)
        pl_spawn_pressed(run, cell);
    run->made += n;
    pl_raise_simply(&cell->run_peak, live < run->made ? live : run->made);
}
/* The parent's run at that place; NULL without memory. */
PL_HIDDEN struct pl_spawn_run *pl_spawn_run_of(struct pl_actor *parent, struct pl_site *site);
/* The child ended. */
PL_HIDDEN void pl_spawn_ended(struct pl_actor *child);

/* What the thread has made and ended and not counted yet, see spawner.h. */
PL_HIDDEN void pl_spawner_settle(struct pl_self *self);
PL_INLINE int pl_spawner_is_settled(const struct pl_thread *thread)
{
    return thread->spawner.left == thread->spawner.granted &&
           thread->ender.at->ends == thread->ender.granted;
}

/* `parent`, who has spawned, begins to wait, the first where the thread is settled; `child` (any
 * actor) ended the wait of `parent`. */
PL_INLINE void pl_spawn_waits_settled(struct pl_actor *parent)
{
    struct pl_spawn_run *run = parent->spawns;
#pragma GCC unroll 4
    for (int i = 0; i < PL_SPAWN_RUNS; i++, run++) {
        if (run->site == NULL)
            break;
        run->live = __atomic_load_n(run->alive_now, __ATOMIC_RELAXED);
    }
}
/* 0: there is something to be counted before. */
PL_INLINE int pl_spawn_waits_quickly(const struct pl_thread *thread, struct pl_actor *parent)
{
    if (!pl_spawner_is_settled(thread))
        return 0;
    pl_spawn_waits_settled(parent);
    return 1;
}
PL_INLINE void pl_spawn_waits(struct pl_self *self, struct pl_actor *parent)
{
    if (!pl_spawner_is_settled(self->thread))
        pl_spawner_settle(self);
    pl_spawn_waits_settled(parent);
}
/* What is left with the run of that place, not 0: the run may be another place's by then. */
PL_INLINE uint32_t pl_spawn_pressing(const struct pl_site *site)
{
    return site->cell->stack + 1;
}
PL_INLINE void pl_spawn_woken(struct pl_actor *parent, uint64_t waker, uint64_t waker_creator,
                              const struct pl_site *waker_site)
{
    if (waker == 0 || waker_creator != parent->id || waker_site == NULL || parent->spawns == NULL)
        return;
    for (uint32_t i = 0; i < PL_SPAWN_RUNS; i++) {
        if (parent->spawns[i].site == waker_site) {
            parent->spawns[i].pressed = pl_spawn_pressing(waker_site);
            break; /* each place has one run */
        }
    }
}

#endif
