/*
 * named.h - what tasks call themselves: a cell for each that has a name or labels, as long as it
 * lives. Guard on.
 */
#ifndef PRELOAD_CORE_NAMED_H
#define PRELOAD_CORE_NAMED_H

#include "preload/core/actor.h"

/* NULL: none. Texts are cut at what fits. By the thread that runs the task, or before it runs. */
PL_HIDDEN void pl_named_set(struct pl_actor *task, const char *name, const char *labels);

/* It ends. */
PL_HIDDEN void pl_named_free(struct pl_actor *task);
static inline void pl_named_ends(struct pl_actor *task)
{
    if (__builtin_expect((task->cell->flags & EL_ACTOR_NAMED) != 0, 0))
        pl_named_free(task);
}

#endif
