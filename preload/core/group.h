/*
 * group.h - groups of tasks: what runs on after the first error, and work that is added to a wait
 * group behind the back of who waits for it. Guard on.
 */
#ifndef PRELOAD_CORE_GROUP_H
#define PRELOAD_CORE_GROUP_H

#include <stdint.h>

#include "preload/core/actor.h"
#include "preload/core/call.h"
#include "preload/core/lineage.h"
#include "preload/core/object.h"

/* The current actor's group has its first error; a member ends or begins; somebody has waited for
 * all of them. */
PL_HIDDEN void pl_group_failed(const struct pl_self *self, uint64_t group, uint32_t running,
                               int error, int cancels);
PL_HIDDEN void pl_group_changed(uint64_t group, uint32_t running, int started);
PL_HIDDEN void pl_group_waited(uint64_t group);

/* Who waited last for a wait group, kept for good: as many as there are addresses of them. */
struct pl_waited {
    struct loiter_adder adder; /* the group, and a task that `waiter` did not make; 0: none */
    uint64_t waiter;
    uint32_t round; /* how many the waiter had waited for then, this one included */
    uint32_t stack; /* 0 when `late` */
    uint32_t late;  /* a child added since, and nobody waited since */
    uint32_t sure;  /* so many times more a wait from the same call is taken to be from `stack` */
    uintptr_t caller, sp;
    /* Of the group, where its `waiter` is that of the wait by which this one waited from `stack`;
     * NULL: there is more to tell of the next. It may be another object's by now. */
    struct pl_object *record;
};
#define PL_WAITED_SURE 63

/* Nothing to tell when the actor adds. There is when it is a child that the waiter had made before
 * it waited: what it adds was to be waited for. */
PL_INLINE int pl_waited_allows(const struct pl_waited *w, const struct pl_actor *actor)
{
    return w->late || actor->creator != w->waiter || actor->made_in >= w->round;
}
/* The actor has waited once more: what it makes next is of another brood. */
PL_INLINE void pl_waited_again(struct pl_self *self, struct pl_waited *w, struct pl_actor *actor)
{
    w->round = ++actor->rounds;
    self->now++;
}

/* The next wait for the group is looked at. */
PL_INLINE void pl_waited_forgets(struct pl_waited *w)
{
    if (w->record != NULL)
        w->record->waiter = 0;
    w->record = NULL;
}

/* Who waits now, from where. */
PL_INLINE void pl_waited_by(struct pl_waited *w, const struct pl_actor *actor, uint32_t stack)
{
    if (w->waiter != actor->id)
        w->adder.task = 0;
    if (w->waiter != actor->id || w->stack != stack)
        pl_waited_forgets(w);
    w->waiter = actor->id;
    w->stack = stack;
}

/* The usual cases of the two below, without a call, for the group that the thread asked for last.
 * 0: it is another case, and nothing was written. The second is for the task that the first was
 * asked of. */
PL_INLINE int pl_waitgroup_begun_again(const struct pl_self *self, const struct pl_actor *actor,
                                       uint64_t group)
{
    struct pl_waited *w = self->thread->waited;
    if (w == NULL || w->adder.group != group)
        return actor->creator == 0;
    if (!pl_waited_allows(w, actor))
        return 0;
    if (actor->creator != w->waiter && el_actor_is_task(actor->id))
        w->adder.task = actor->id & ~EL_ACTOR_TASK;
    return 1;
}
PL_INLINE int pl_waitgroup_begun_alike(const struct pl_self *self, const struct loiter_task *task,
                                       uint64_t group)
{
    const struct pl_waited *w = self->thread->waited;
    return w != NULL && w->adder.group == group && w->adder.task == task->id;
}
/* It waited for the group last, and from the same call. Only the report of a misuse asks where it
 * was, so the frames further out are looked at now and then. */
PL_INLINE int pl_waitgroup_waited_alike(struct pl_self *self, struct pl_actor *actor,
                                        uint64_t group, uintptr_t caller, uintptr_t sp)
{
    struct pl_waited *w = self->thread->waited;
    if (w == NULL || w->adder.group != group || w->waiter != actor->id || w->caller != caller ||
        w->sp != sp || w->sure == 0 || pl_lineage_may_wait(actor))
        return 0;
    w->sure--;
    pl_waited_again(self, w, actor);
    return 1;
}
/* It is about to wait for the group, as in its last wait. 0: somebody else has, or from elsewhere,
 * or there is more to tell. The second says so then. */
PL_INLINE int pl_waitgroup_waits_alike(const struct pl_waited *w, const struct pl_actor *actor,
                                       const struct pl_wait *wait)
{
    return w != NULL && w->record != NULL && w->record == wait->record &&
           w->record->waiter == wait->token && wait->token != 0 && !pl_lineage_may_wait(actor);
}
PL_INLINE void pl_waitgroup_waits_again(struct pl_waited *w, struct pl_actor *actor)
{
    w->round = ++actor->rounds;
}
PL_INLINE int pl_waitgroup_waited_again(struct pl_self *self, struct pl_actor *actor,
                                        uint64_t group, uint32_t stack, uintptr_t caller,
                                        uintptr_t sp)
{
    struct pl_waited *w = self->thread->waited;
    if (w == NULL || w->adder.group != group || w->late || pl_lineage_may_wait(actor))
        return 0;
    pl_waited_by(w, actor, stack);
    w->sure = PL_WAITED_SURE;
    w->caller = caller;
    w->sp = sp;
    pl_waited_again(self, w, actor);
    return 1;
}

/* The current actor adds from zero, or has waited, or is about to. */
PL_HIDDEN void pl_waitgroup_begun(struct pl_self *self, uint64_t group, struct pl_call call,
                                  const void *caller);
PL_HIDDEN struct pl_waited *pl_waitgroup_waited(struct pl_self *self, uint64_t group,
                                                uint32_t stack);

/* At the start and in a fork child. */
PL_HIDDEN void pl_groups_reset(void);

#endif
