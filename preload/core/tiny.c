/* tiny.c - see tiny.h. */
#include "preload/core/tiny.h"

#include "preload/core/clock.h"
#include "preload/core/spread.h"

/* From now on or the next tick: 0 means that a task is not a sample. */
static uint64_t now_not_zero(void)
{
    return pl_now() | 1;
}

/* The distance to the next sample is drawn, so that places that take turns each have theirs. */
void pl_tiny_choose(struct pl_self *self, struct pl_actor *task)
{
    uint64_t now = now_not_zero();
    self->until_sample =
        (uint32_t)((now * UINT64_C(0x9e3779b97f4a7c15)) >> 32) % (2 * PL_TINY_EVERY - 1);
    task->tiny_made = now;
}

static void add(enum el_spread_kind kind, uint32_t stack, uint64_t from, uint64_t to)
{
    if (stack != 0)
        pl_spread_note(kind, stack, PL_TINY_EVERY, to > from ? to - from : 0, to);
}

/* Written when the task ends: what is measured here must not lengthen what is measured next. */
void pl_tiny_begin(struct pl_actor *task)
{
    task->tiny_began = now_not_zero();
}

void pl_tiny_end(struct pl_actor *task)
{
    uint64_t now = pl_now();
    uint32_t stack = task->cell->created_stack;
    add(EL_SPREAD_TASK_START, stack, task->tiny_made, task->tiny_began);
    add(EL_SPREAD_TASK_LIFE, stack, task->tiny_began, now);
    task->tiny_made = task->tiny_began = 0;
}
