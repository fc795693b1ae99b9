/* tiny.c - see tiny.h. */
#include "preload/core/tiny.h"

#include "preload/core/clock.h"
#include "preload/core/spread.h"

/* From now on or the next tick: 0 means that a task is not a sample. */
static uint64_t now_not_zero(void)
{
    return pl_now() | 1;
}

/* HURRIED samples and more came so soon after the one before. One that did not, as when the thread
 * was interrupted, is not the end of that. */
#define HURRY_NS   50000
#define HURRIED    128
#define HURRY_MOST (2 * HURRIED)
#define HURRY_LOST (HURRIED / 8)

/* What the next sample stands for, in samples. */
static uint32_t next_weight(struct pl_thread *thread, const struct pl_actor *task, uint64_t now)
{
    const int few = task->site != NULL &&
                    __atomic_load_n(&task->site->cell->peak, __ATOMIC_RELAXED) < PL_SITE_FEW;
    const uint64_t apart = now - thread->tiny_at;
    const uint64_t soon = thread->tiny_weight * pl_ticks_of_ns(HURRY_NS);
    thread->tiny_at = now;
    if (!few || (apart > soon && thread->tiny_hurry < HURRY_LOST))
        thread->tiny_hurry = 0;
    else if (apart > soon)
        thread->tiny_hurry -= HURRY_LOST;
    else if (thread->tiny_hurry < HURRY_MOST)
        thread->tiny_hurry++;
    return thread->tiny_hurry < HURRIED ? 1 : PL_TINY_HURRIED;
}

/* The distance to the next sample is drawn, so that places that take turns each have theirs. */
void pl_tiny_choose(struct pl_self *self, struct pl_actor *task)
{
    uint64_t now = now_not_zero();
    struct pl_thread *thread = self->thread;
    task->tiny_weight = thread->tiny_weight;
    thread->tiny_weight = next_weight(thread, task, now);
    self->until_sample = (uint32_t)((now * UINT64_C(0x9e3779b97f4a7c15)) >> 32) %
                         (2 * PL_TINY_EVERY * thread->tiny_weight - 1);
    task->tiny_made = now;
}

static void add(enum el_spread_kind kind, const struct pl_actor *task, uint64_t from, uint64_t to)
{
    const uint32_t stack = task->cell->created_stack;
    struct pl_spread *spread = stack == 0 ? NULL : pl_spread_get(kind, stack, PL_TINY_EVERY);
    if (spread != NULL)
        pl_spread_add_many(spread, task->tiny_weight, pl_ns_of_ticks(to > from ? to - from : 0),
                           to);
}

/* Written when the task ends: what is measured here must not lengthen what is measured next. */
void pl_tiny_begin(struct pl_actor *task)
{
    task->tiny_began = now_not_zero();
}

void pl_tiny_end(struct pl_actor *task)
{
    uint64_t now = pl_now();
    add(EL_SPREAD_TASK_START, task, task->tiny_made, task->tiny_began);
    add(EL_SPREAD_TASK_LIFE, task, task->tiny_began, now);
    task->tiny_made = task->tiny_began = 0;
}
