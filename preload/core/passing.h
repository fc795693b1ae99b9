/*
 * passing.h - waits of tasks that the runtime need not tell: like the task's last one, and ended by
 * who ended that one, before the clock's next tick. See struct loiter_again.
 *
 * Of such a wait only a mark is left with the task's actor, which its end takes back. Whatever else
 * comes tells of the wait after all: another waking, the second tick after it, the end of the run
 * or of the process. So a record that is cut off at any instant lacks the waits of the last
 * milliseconds at most, and its counts lack PL_PASSING_MOST waits of a task.
 *
 * What makes a task's next wait one that is told of calls pl_actor_tells; what makes an object
 * another matter changes its `lives` or its `waiter`, see object.h. Guard on.
 */
#ifndef PRELOAD_CORE_PASSING_H
#define PRELOAD_CORE_PASSING_H

#include <loiter.h>
#include <stdint.h>

#include "preload/core/actor.h"
#include "preload/core/clock.h"
#include "preload/core/object.h"

#define PL_PASSING_MOST 64 /* one after another */
/* After one that was told of after all, and where none may pass as things are, so many more are
 * told of whatever comes; only that one, where more than a few had passed. */
#define PL_PASSING_WARY 16
#define PL_PASSING_FEW  4

/* A select that waited again, and all is known of what it waits for. */
PL_HIDDEN void pl_passing_selects(const struct pl_self *self, struct pl_actor *task,
                                  const void *const *objects, unsigned n);

/* The task's wait was ended by a waking like the object's last one, of `me`: so may the next. */
PL_HIDDEN void pl_passing_learn(const struct pl_self *self, struct pl_actor *task,
                                struct pl_object *o, const struct loiter_task *me);
PL_INLINE int pl_passing_may_learn(struct pl_actor *task)
{
    if (__builtin_expect(task->passing.wary != 0, 0)) {
        task->passing.wary--;
        return 0;
    }
    return task->again.left == 0 ||
           task->again.tick != atomic_load_explicit(&pl_coarse, memory_order_relaxed);
}

/* Tells of the task's wait, if it was not told; when this returns it is. By who makes it ready. */
PL_HIDDEN void pl_passing_tell(struct pl_actor *task);
PL_INLINE void pl_passing_settle(struct pl_actor *task)
{
    const struct loiter_again *a = &task->again;
    if (__builtin_expect((__atomic_load_n(&a->waits, __ATOMIC_ACQUIRE) |
                          (__atomic_load_n(&a->looks, __ATOMIC_ACQUIRE) & LOITER_AGAIN_LOOKED)) !=
                             0,
                         0))
        pl_passing_tell(task);
}

/* The same by another one than who makes the task ready, at what it may wait for. */
PL_HIDDEN void pl_passing_interrupt(struct pl_actor *task);

/* The task's waits that passed are counted. */
PL_HIDDEN void pl_passing_count(struct pl_actor *task);

/* At a tick: what passes since before the last one is told. When the run or the process ends: all
 * is, and counted. */
PL_HIDDEN void pl_passings_tick(uint64_t last);
PL_HIDDEN void pl_passings_end(void);

/* The runtime asks; and: in a fork child, and at the start. */
PL_HIDDEN void pl_passings_begin(void);
PL_HIDDEN void pl_passings_reset(void);

#endif
