/*
 * lineage.h - places whose tasks or threads make further ones at the same place, by generation.
 *
 * An actor remembers the place that it was made at and the nearest other place among its ancestors,
 * with the generation it is of there: enough to see recursion through one place, and through two
 * that take turns. What is not recursive costs these few words. Guard on.
 */
#ifndef PRELOAD_CORE_LINEAGE_H
#define PRELOAD_CORE_LINEAGE_H

#include <stdint.h>

#include "preload/core/actor.h"

/* `parent` (may be NULL) made `child` at `site`. */
PL_HIDDEN void pl_lineage_count(struct pl_actor *parent, struct pl_site *site, uint32_t generation);

static inline void pl_lineage_born(struct pl_actor *parent, struct pl_actor *child,
                                   struct pl_site *site)
{
    uint32_t generation = 0;
    child->line[1] = (struct pl_line){NULL, 0};
    if (parent != NULL && parent->line[0].site != NULL) {
        if (parent->line[0].site == site)
            generation = parent->line[0].generation + 1;
        else if (parent->line[1].site == site)
            generation = parent->line[1].generation + 1;
        child->line[1] = parent->line[parent->line[0].site == site];
    }
    child->line[0] = (struct pl_line){site, generation};
    child->lineage_flags = 0;
    child->made_in = parent == NULL ? 0 : parent->rounds;
    if (__builtin_expect(generation != 0, 0))
        pl_lineage_count(parent, site, generation);
}

/* The actor has waited for one that it made, or for a group of them. */
PL_HIDDEN void pl_lineage_waited(struct pl_actor *actor);

#endif
