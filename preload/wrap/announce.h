/* announce.h - what the announcements of tasks and of objects share. Guard on. */
#ifndef PRELOAD_WRAP_ANNOUNCE_H
#define PRELOAD_WRAP_ANNOUNCE_H

#include <loiter.h>

#include "preload/core/actor.h"
#include "preload/core/wait.h"
#include "preload/core/young.h"

/* The actor of a task, if it was made in this process and while recording, and has one. */
PL_INLINE struct pl_actor *pl_task_grown(const struct loiter_task *t)
{
    struct pl_actor *task = t->tool;
    return __builtin_expect(
               task != NULL && ((uintptr_t)task & PL_YOUNG) == 0 && task->epoch == pl_epoch, 1)
               ? task
               : NULL;
}

/* The same for the thread that runs the task; a young one gets its actor. */
static inline struct pl_actor *pl_task_of(struct pl_self *self, struct loiter_task *t)
{
    if (__builtin_expect(((uintptr_t)t->tool & PL_YOUNG) != 0, 0))
        return pl_young_grow(self, t);
    return pl_task_grown(t);
}

/* The number by which the record knows a program's object. */
PL_INLINE uint64_t pl_id_of(const void *object)
{
    return (uint64_t)(uintptr_t)object;
}

/* The task's cell says no more that it waits. */
PL_INLINE void pl_task_leaves_wait(struct pl_actor *task, const struct pl_wait *w, uint32_t state)
{
    struct el_actor *cell = task->cell;
    const uint32_t timed = w->timed;
    task->parked = 0;
    __atomic_store_n(&cell->wait_kind, EL_WAIT_NONE, __ATOMIC_RELEASE);
    if (timed)
        cell->flags &= ~(uint32_t)EL_ACTOR_TIMED;
    el_set_state(&cell->state, state);
}

/* The wait ends: by who makes the task ready, or by the thread that runs it from now on. */
PL_HIDDEN void pl_task_wait_over(struct pl_self *self, struct pl_actor *task, uint32_t state);

#endif
