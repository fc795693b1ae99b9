/* lineage.c - see lineage.h. */
#include "preload/core/lineage.h"

#include "preload/core/record.h"
#include "preload/core/site.h"
#include "preload/core/wait.h"

#define GENERATIONS 16

static struct el_lineage *lineage_of(struct pl_site *site)
{
    struct el_lineage *cell = atomic_load_explicit(&site->lineage, memory_order_acquire);
    if (cell != NULL)
        return cell;
    struct el_lineage *made = el_alloc_lineage(&pl_log);
    if (made == NULL)
        return NULL;
    made->kind = site->cell->kind;
    made->stack = site->cell->stack;
    if (atomic_compare_exchange_strong(&site->lineage, &cell, made)) {
        el_set_state(&made->state, EL_LIVE);
        return made;
    }
    el_free_lineage(&pl_log, made);
    return cell;
}

void pl_lineage_count(struct pl_actor *parent, struct pl_site *site, uint32_t generation,
                      uint32_t n)
{
    struct el_lineage *cell = lineage_of(site);
    if (cell == NULL)
        return;
    uint32_t slot = generation < GENERATIONS ? generation : GENERATIONS - 1;
    el_count(&cell->made[slot], n);
    uint32_t deepest = __atomic_load_n(&cell->deepest, __ATOMIC_RELAXED);
    while (deepest < generation &&
           !__atomic_compare_exchange_n(&cell->deepest, &deepest, generation, 1, __ATOMIC_RELAXED,
                                        __ATOMIC_RELAXED))
        ;
    if (parent != NULL && (parent->lineage_flags & PL_IS_PARENT) == 0) {
        parent->lineage_flags |= PL_IS_PARENT;
        parent->parent_at = cell;
        parent->wait.token = 0; /* there is more to tell of the next one */
        pl_actor_tells(parent);
        el_count(&cell->parents, 1);
    }
}

void pl_lineage_waited(struct pl_actor *actor)
{
    if (!pl_lineage_may_wait(actor))
        return;
    actor->lineage_flags |= PL_HAS_WAITED;
    el_count(&actor->parent_at->awaited, 1);
}
