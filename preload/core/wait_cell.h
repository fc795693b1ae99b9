/*
 * wait_cell.h - what an actor's cell says of its wait. Guard on.
 */
#ifndef PRELOAD_CORE_WAIT_CELL_H
#define PRELOAD_CORE_WAIT_CELL_H

#include "preload/core/actor.h"
#include "preload/core/wait.h"

static inline uint32_t pl_wait_flags(const struct el_actor *cell, uint32_t timed)
{
    uint32_t flags = cell->flags & ~(uint32_t)EL_ACTOR_TIMED;
    return timed ? flags | EL_ACTOR_TIMED : flags;
}

/* `cell` is that of w->actor. */
static inline void pl_wait_show(const struct pl_wait *w, struct el_actor *cell)
{
    cell->waits_here = w->here;
    cell->wait_stack = w->stack;
    cell->object = w->object;
    cell->since = w->began;
    cell->flags = pl_wait_flags(cell, w->timed);
    __atomic_store_n(&cell->wait_kind, w->kind, __ATOMIC_RELEASE);
    el_set_state(&cell->state, EL_ACTOR_WAITING);
}

static inline void pl_wait_hide(struct el_actor *cell)
{
    __atomic_store_n(&cell->wait_kind, EL_WAIT_NONE, __ATOMIC_RELEASE);
    cell->flags = pl_wait_flags(cell, 0);
    el_set_state(&cell->state, EL_ACTOR_RUNNING);
}

#endif
