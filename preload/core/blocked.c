/* blocked.c - see blocked.h. */
#include "preload/core/blocked.h"

#include "preload/core/clock.h"
#include "preload/core/site.h"

_Atomic uint32_t pl_threads_alive;

/* Waits for what others do in their own time. A thread in accept or poll is a server that has
 * nothing to do, one in a sleep waits because it wants to. */
static int is_blocking(uint32_t kind)
{
    switch (kind) {
    case EL_WAIT_READ:
    case EL_WAIT_WRITE:
    case EL_WAIT_CONNECT:
    case EL_WAIT_FSYNC:
    case EL_WAIT_DNS:
    case EL_WAIT_FLOCK:
    case EL_WAIT_CHILD:
    case EL_WAIT_OPEN:
        return 1;
    default:
        return 0;
    }
}

void pl_blocked_begins(struct pl_self *self, struct pl_actor *actor, struct pl_site *site,
                       uint32_t other, uint64_t bytes, uint64_t now)
{
    actor->blocked = site;
    uint64_t live = pl_site_born(self, site, 1, bytes, now);
    if (live >= __atomic_load_n(&site->cell->peak, __ATOMIC_RELAXED))
        __atomic_store_n(&site->cell->stack2, other, __ATOMIC_RELAXED);
}

void pl_blocked_ends(struct pl_actor *actor, uint64_t ticks)
{
    struct pl_site *site = actor->blocked;
    if (site == NULL)
        return;
    actor->blocked = NULL;
    pl_site_died(site, pl_self_block.thread, 1);
    el_count(&site->cell->ticks, ticks);
    pl_raise(&site->cell->ticks_max, ticks);
}

void pl_blocked_wait_counts(struct pl_self *self, struct pl_wait *w)
{
    struct pl_actor *actor = w->actor;
    const struct el_actor *cell = actor->cell;
    if (!is_blocking(w->kind) || w->outer != NULL || actor->blocked != NULL ||
        el_actor_is_task(actor->id) || self->thread->is_worker || cell->created_stack == 0)
        return;
    struct pl_site *site = pl_site_get(EL_SITE_BLOCKED, cell->created_stack, 0);
    if (site == NULL)
        return;
    pl_blocked_begins(self, actor, site, w->stack, cell->stack_bytes, w->began);
    w->holds = 1;
}

void pl_blocked_wait_ends(struct pl_wait *w, uint64_t now)
{
    w->holds = 0;
    pl_blocked_ends(w->actor, now > w->began ? now - w->began : 0);
}
