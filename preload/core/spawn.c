/* spawn.c - see spawn.h. */
#include "preload/core/spawn.h"

#include "preload/core/lineage.h"

/* A loop can spawn from places that take turns (a container that grows now and then), so several
 * are kept. */
struct pl_spawn_run *pl_spawn_run_of(struct pl_actor *parent, struct pl_site *site)
{
    if (parent->spawns == NULL)
        parent->spawns = pl_arena_alloc(PL_SPAWN_RUNS * sizeof(parent->spawns[0]));
    if (parent->spawns == NULL)
        return NULL;
    for (uint32_t i = 0; i < PL_SPAWN_RUNS; i++)
        if (parent->spawns[i].site == site)
            return &parent->spawns[i];
    struct pl_spawn_run *run = &parent->spawns[parent->spawn_next];
    parent->spawn_next = (parent->spawn_next + 1) % PL_SPAWN_RUNS;
    *run = (struct pl_spawn_run){.site = site, .alive_now = &site->cell->live};
    return run;
}

void pl_spawned(struct pl_self *self, struct pl_actor *parent, struct pl_actor *child,
                struct pl_site *site, uint64_t bytes, uint64_t now)
{
    child->site = site;
    child->origin = site;
    if (site == NULL)
        return;
    pl_lineage_born(parent, child, site);
    uint64_t live = pl_site_born(self, site, 1, bytes, now);
    struct pl_spawn_run *run = parent == NULL ? NULL : pl_spawn_run_of(parent, site);
    if (run != NULL)
        pl_spawn_count(run, site, 1, live);
}

void pl_spawn_ended(struct pl_actor *child)
{
    struct pl_site *site = child->site;
    child->site = NULL;
    if (site != NULL)
        pl_site_died(site, pl_self_block.thread, 1);
}
