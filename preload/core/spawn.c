/* spawn.c - see spawn.h. */
#include "preload/core/spawn.h"

void pl_spawned(struct pl_self *self, struct pl_actor *parent, struct pl_actor *child,
                struct pl_site *site, uint64_t bytes)
{
    child->site = site;
    child->origin = site;
    if (site == NULL)
        return;
    pl_site_born(self, site, bytes);
    if (parent == NULL)
        return;
    struct el_site *cell = site->cell;
    if (parent->spawn_site != site) {
        parent->spawn_site = site;
        parent->spawn_run = 0;
        parent->spawn_pressed = 0;
    }
    if (parent->spawn_pressed) {
        parent->spawn_pressed = 0;
        parent->spawn_run = 0;
        __atomic_fetch_add(&cell->backpressure, 1, __ATOMIC_RELAXED);
        pl_raise(&cell->backpressure_live, parent->spawn_live);
    }
    parent->spawn_run++;
    uint64_t live = __atomic_load_n(&cell->live, __ATOMIC_RELAXED);
    pl_raise(&cell->run_peak, live < parent->spawn_run ? live : parent->spawn_run);
}

void pl_spawn_ended(struct pl_actor *child)
{
    struct pl_site *site = child->site;
    child->site = NULL;
    if (site != NULL)
        pl_site_died(site);
}

void pl_spawn_waits(struct pl_actor *parent)
{
    if (parent->spawn_site != NULL)
        parent->spawn_live = __atomic_load_n(&parent->spawn_site->cell->live, __ATOMIC_RELAXED);
}

void pl_spawn_woken(struct pl_actor *parent, uint64_t waker, uint64_t waker_creator,
                    const struct pl_site *waker_site)
{
    if (waker != 0 && waker_creator == parent->id && waker_site != NULL &&
        waker_site == parent->spawn_site)
        parent->spawn_pressed = 1;
}
