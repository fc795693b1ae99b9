/*
 * tiny.h - of one task in so many: how long it took from its making to its first instruction, and
 * from there to its end. Where few live at once and one comes right after the other, for thousands
 * of them, a sample stands for PL_TINY_HURRIED times as many, and counts as so many samples. Guard
 * on.
 */
#ifndef PRELOAD_CORE_TINY_H
#define PRELOAD_CORE_TINY_H

#include <stdint.h>

#include "preload/core/actor.h"

#define PL_TINY_EVERY   64 /* on average */
#define PL_TINY_HURRIED 4

PL_HIDDEN void pl_tiny_choose(struct pl_self *self, struct pl_actor *task);
PL_HIDDEN void pl_tiny_begin(struct pl_actor *task);
PL_HIDDEN void pl_tiny_end(struct pl_actor *task);

/* A task was made: is it a sample? Then pl_tiny_choose comes last of what is done about it. */
static inline int pl_tiny_is_due(struct pl_self *self)
{
    return __builtin_expect(self->until_sample-- == 0, 0) != 0;
}

/* Its first instruction is next, or it goes on; it ends. */
static inline void pl_tiny_runs(struct pl_actor *task)
{
    if (__builtin_expect(task->tiny_made != 0 && task->tiny_began == 0, 0))
        pl_tiny_begin(task);
}

static inline void pl_tiny_ends(struct pl_actor *task)
{
    if (__builtin_expect(task->tiny_began != 0, 0))
        pl_tiny_end(task);
}

#endif
