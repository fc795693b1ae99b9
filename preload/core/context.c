/* context.c - see context.h. */
#include "preload/core/context.h"

#include "preload/core/clock.h"
#include "preload/core/outcome.h"

static _Atomic uint32_t any; /* was ever let go of */

static struct pl_outcome *place_of(const struct pl_object *o)
{
    return pl_outcome_find(EL_OBJ_CONTEXT, o->cell->created_stack);
}

void pl_context_begins(struct pl_self *self, const struct pl_object *o)
{
    struct pl_outcome *place = pl_outcome_get(EL_OBJ_CONTEXT, o->cell->created_stack, 0);
    if (place != NULL)
        pl_outcome_made(place, 0, o->cell->created_at);
    self->now = o->cell->created_at;
}

/* cell->items of the place is how many are there now, let go of; cell->sweep the most. */
void pl_context_dropped(struct pl_object *o, uint32_t stack)
{
    struct pl_outcome *place = place_of(o);
    if (place == NULL || o->dropped_at != 0)
        return;
    o->dropped_at = pl_now();
    o->cell->items = 1;
    pl_outcome_lost(place, stack);
    pl_raise(&place->cell->sweep, __atomic_add_fetch(&place->cell->items, 1, __ATOMIC_RELAXED));
    atomic_store_explicit(&any, 1, memory_order_relaxed);
}

void pl_context_over(struct pl_object *o)
{
    struct pl_outcome *place = o->dropped_at == 0 ? NULL : place_of(o);
    if (place == NULL)
        return;
    el_count(&place->cell->ticks, pl_now() - o->dropped_at);
    __atomic_fetch_sub(&place->cell->items, 1, __ATOMIC_RELAXED);
    o->dropped_at = 0;
}

void pl_context_gone(struct pl_object *o)
{
    struct pl_outcome *place = place_of(o);
    pl_context_over(o);
    if (place != NULL)
        pl_outcome_gone(place);
}

static int context_at_end(void *object, void *ctx)
{
    (void)ctx;
    pl_context_over(object);
    return 0;
}

void pl_contexts_at_end(void)
{
    if (atomic_load_explicit(&any, memory_order_relaxed))
        pl_object_each(context_at_end, NULL);
}
