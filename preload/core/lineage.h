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

/* `parent` (NULL: it has ended since) made `n` of that generation at `site`. */
PL_HIDDEN void pl_lineage_count(struct pl_actor *parent, struct pl_site *site, uint32_t generation,
                                uint32_t n);

/* Which generation a child of the parent (NULL: 0) is at that place. */
static inline uint32_t pl_lineage_of(const struct pl_actor *parent, const struct pl_site *site)
{
    if (parent == NULL || parent->line[0].site == NULL)
        return 0;
    if (parent->line[0].site == site)
        return parent->line[0].generation + 1;
    return parent->line[1].site == site ? parent->line[1].generation + 1 : 0;
}

/* The nearest other place among the child's ancestors. */
static inline struct pl_line pl_lineage_other(const struct pl_actor *parent,
                                              const struct pl_site *site)
{
    if (parent == NULL || parent->line[0].site == NULL)
        return (struct pl_line){NULL, 0};
    return parent->line[parent->line[0].site == site];
}

/* `parent` (may be NULL) made `child` at `site`. */
static inline void pl_lineage_born(struct pl_actor *parent, struct pl_actor *child,
                                   struct pl_site *site)
{
    const uint32_t generation = pl_lineage_of(parent, site);
    child->line[1] = pl_lineage_other(parent, site);
    child->line[0] = (struct pl_line){site, generation};
    child->lineage_flags = 0;
    child->made_in = parent == NULL ? 0 : parent->rounds;
    if (__builtin_expect(generation != 0, 0))
        pl_lineage_count(parent, site, generation, 1);
}

/* The actor has waited for one that it made, or for a group of them. */
enum { PL_IS_PARENT = 1, PL_HAS_WAITED = 2 }; /* lineage_flags */
PL_HIDDEN void pl_lineage_waited(struct pl_actor *actor);
/* That is worth telling. */
PL_INLINE int pl_lineage_may_wait(const struct pl_actor *actor)
{
    return (actor->lineage_flags & (PL_IS_PARENT | PL_HAS_WAITED)) == PL_IS_PARENT;
}

#endif
