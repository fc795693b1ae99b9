/*
 * announce_wakes.c - the runtime's side of loiter.h: who makes whom ready. Mostly a task is woken
 * from where it was woken last, by the same task or by one that was made at the same place.
 */
#include <loiter.h>

#include "preload/core/actor.h"
#include "preload/core/call.h"
#include "preload/core/channel.h"
#include "preload/core/clock.h"
#include "preload/core/object.h"
#include "preload/core/passing.h"
#include "preload/core/spawn.h"
#include "preload/core/stack.h"
#include "preload/core/wait.h"
#include "preload/heap/capture.h"
#include "preload/wrap/announce.h"

__attribute__((noinline)) static void ready(struct loiter_task *t, const void *object,
                                            struct pl_call call)
{
    struct pl_self *self = pl_enter_here();
    if (self == NULL)
        return;
    struct pl_actor *task = pl_task_grown(t), *me = self->actor;
    /* A worker that makes a task ready stands for a timer or the poller: nobody of the program. */
    const int by_runtime = me == self->thread->actor && self->thread->is_worker;
    if (task != NULL) {
        pl_passing_settle(task);
        if (!by_runtime) {
            task->cell->waker = me->id;
            pl_spawn_woken(task, me->id, me->creator, me->site);
        }
        if (task->parked)
            pl_task_wait_over(self, task, EL_ACTOR_RUNNABLE);
        else
            el_set_state(&task->cell->state, EL_ACTOR_RUNNABLE);
    }
    struct pl_object *o = NULL;
    if (object != NULL && !by_runtime)
        o = pl_object_recent(self, pl_id_of(object));
    if (o != NULL)
        pl_object_woken_again(self, o, call);
    pl_leave(self);
}

/* The task that runs here. 0: there is none. A young one counts only until the clock's next tick:
 * what wakes others for longer has to be found among the living. */
PL_INLINE int who_runs(struct pl_self *self, struct pl_who *me)
{
    const struct loiter_task *t = pl_task_here(self);
    const struct pl_brood *b = t == NULL ? NULL : pl_brood_of(t);
    if (b != NULL) {
        *me = (struct pl_who){EL_ACTOR_TASK | t->id, b->creator, b->site,
                              pl_young_stack_lo(t) + b->kin.stack_bytes, b->token};
        return b->created_at > atomic_load_explicit(&pl_coarse, memory_order_relaxed);
    }
    const struct pl_actor *actor = pl_runs_here(self);
    if (actor == NULL || actor == self->thread->actor)
        return 0;
    *me = pl_who(actor);
    me->stack_hi = pl_stack_end_of(self, actor);
    return 1;
}

/*
 * The ways that call nothing, for a wait of no lock that was not long. 0: it is another case.
 */

/* How long, as the thread's last time tells. */
PL_INLINE uint64_t ticks_of(const struct pl_self *self, const struct pl_wait *w)
{
    return self->now > w->began ? self->now - w->began : 0;
}

/* For `o`. No tick since the wait began: it was short, and the thread's last time is near enough.
 */
PL_INLINE int was_short(const struct pl_self *self, const struct pl_wait *w,
                        const struct pl_object *o, uint64_t object)
{
    const uint64_t tick = atomic_load_explicit(&pl_coarse, memory_order_relaxed);
    return pl_object_is(o, object) && tick != 0 && w->began > tick &&
           ticks_of(self, w) < pl_long_wait_ticks;
}

/* The object that a task is woken by, if so; else NULL. */
PL_INLINE struct pl_object *woken_by(const struct pl_self *self, const struct pl_actor *task,
                                     uint64_t object)
{
    struct pl_object *o = NULL;
    if (task->parked == PL_PARKED_PLAINLY || task->parked == PL_PARKED_TIMED ||
        task->parked == PL_PARKED_HOLDING)
        o = task->wait.record;
    else if (task->parked == PL_PARKED_SELECTING)
        o = self->thread->objects[pl_recent_slot(object)];
    return o != NULL && was_short(self, &task->wait, o, object) ? o : NULL;
}

/* Of a wait without a limit. */
PL_INLINE void task_is_runnable(struct pl_actor *task, uint64_t waker)
{
    struct el_actor *cell = task->cell;
    task->parked = 0;
    cell->waker = waker;
    __atomic_store_n(&cell->wait_kind, EL_WAIT_NONE, __ATOMIC_RELEASE);
    el_set_state(&cell->state, EL_ACTOR_RUNNABLE);
}

/* By who is the object's last waker now. What was looked at before is not kept for it, as in
 * announce_waits.c. */
PL_INLINE void goes_on(const struct pl_self *self, struct pl_actor *task, struct pl_object *o,
                       uint64_t waker)
{
    atomic_signal_fence(memory_order_seq_cst);
    struct el_object *cell = o->cell;
    const struct pl_wait *w = &task->wait;
    if (o->waker_creator == task->id)
        pl_spawn_woken(task, waker, task->id, o->waker_site);
    cell->last_waker_at = self->now;
    pl_object_count(&cell->wakes);
    if (w->record != NULL)
        pl_object_add(&cell->wait_ticks, ticks_of(self, w));
    pl_capture_waited(task, self->now);
    task->cell->waker = waker;
    pl_task_leaves_wait(task, w, EL_ACTOR_RUNNABLE);
}

PL_SECOND_WAY void ready_slowly(struct loiter_task *t, const void *object)
{
    ready(t, object, PL_CALL());
}

/* There is nothing to tell of the channel that is not known. */
PL_INLINE int is_known_use(const struct pl_self *self, const struct pl_object *o)
{
    if (o->count == NULL)
        return 1;
    const struct pl_actor *me = pl_runs_here(self);
    return me != NULL && pl_channel_woken_as_before(o, me);
}

/* From a place where it was done before, perhaps by another task that does the same. */
PL_INLINE int ready_alike(struct pl_self *self, struct pl_actor *task, uint64_t object,
                          uintptr_t pc, uintptr_t sp)
{
    struct pl_object *o = woken_by(self, task, object);
    struct pl_who me;
    if (o == NULL || !is_known_use(self, o) || !who_runs(self, &me))
        return 0;
    if (!pl_object_woken_before(o, &me, pc, sp)) {
        const uint32_t stack = pl_stack_near_on(self, me.stack_hi, pc, sp);
        if (stack == 0)
            return 0;
        pl_object_woken_by(o, &me, pc, sp, stack);
    }
    goes_on(self, task, o, me.id);
    return 1;
}

__attribute__((noinline)) PL_FRAMELESS static void ready_otherwise(struct loiter_task *t,
                                                                   const void *object)
{
    struct pl_self *self = pl_enter_quickly();
    if (__builtin_expect(self != NULL, 1)) {
        struct pl_actor *task = pl_task_grown(t);
        int done = task != NULL && ready_alike(self, task, pl_id_of(object), PL_PC(), PL_SP());
        pl_leave_quickly(self);
        if (__builtin_expect(done, 1))
            return;
    }
    ready_slowly(t, object);
}

/*
 * The usual cases: the object's last waking again, by the same task or by a sibling, from the same
 * call. A sibling's frames, of which the first are those of its place, are looked at now and then.
 * They give the waker's number; 0: it is another case.
 */
PL_INLINE uint64_t woken_again_by(struct pl_object *o, const struct loiter_task *me, uintptr_t pc,
                                  uintptr_t sp)
{
    if (o->again.pc != pc || o->again.sp != sp)
        return 0;
    const uint64_t id = EL_ACTOR_TASK | me->id;
    if (o->again.actor == id)
        return id;
    const uintptr_t word = (uintptr_t)me->tool;
    if ((word & PL_YOUNG) == 0 || pl_brood_at(word)->token != o->again.brood || o->sure == 0 ||
        pl_brood_at(word)->created_at <= atomic_load_explicit(&pl_coarse, memory_order_relaxed))
        return 0;
    o->sure--;
    o->again.actor = o->cell->last_waker = id;
    return id;
}

/* It woke the object before the one that did so last, from this call: two that wake each other. */
PL_INLINE uint64_t woken_in_turn_by(struct pl_object *o, const struct loiter_task *me, uintptr_t pc,
                                    uintptr_t sp)
{
    const uint32_t k = o->latest ^ 1;
    const struct pl_waking *waking = &o->wakings[k];
    const struct pl_actor *actor = pl_task_grown(me);
    if (actor == NULL || waking->pc != pc || waking->sp != sp || waking->actor != actor->id ||
        (o->count != NULL && !pl_channel_woken_as_before(o, actor)))
        return 0;
    const struct pl_who who = pl_who(actor);
    pl_object_wake_last(o, &who, k);
    return who.id;
}

/* As was_short, of a wait that ended after so many ticks, or before, by another thread's time. */
PL_INLINE int was_brief(const struct pl_wait *w, int64_t ticks)
{
    return w->began > atomic_load_explicit(&pl_coarse, memory_order_relaxed) &&
           ticks < (int64_t)pl_long_wait_ticks;
}

/* `plain` is constant in each of its uses. */
PL_INLINE void goes_on_quickly(const struct pl_self *self, struct pl_actor *task,
                               struct pl_object *o, uint64_t waker, int64_t ticks, int plain)
{
    const struct pl_wait *w = &task->wait;
    struct el_object *cell = plain ? w->object_cell : o->cell;
    if (o->waker_creator == task->id)
        pl_spawn_woken(task, waker, task->id, o->waker_site);
    cell->last_waker_at = self->now;
    pl_object_count(&cell->wakes);
    if (plain && ticks > 0)
        pl_object_add(&cell->wait_ticks, (uint64_t)ticks);
    if (plain) {
        task_is_runnable(task, waker);
    } else {
        task->cell->waker = waker;
        pl_task_leaves_wait(task, w, EL_ACTOR_RUNNABLE);
    }
}

PL_INLINE int goes_on_in_turn(const struct pl_self *self, struct pl_actor *task,
                              struct pl_object *o, const struct loiter_task *me, uintptr_t pc,
                              uintptr_t sp, int plain)
{
    const int64_t ticks = (int64_t)(self->now - task->wait.began);
    if (!was_brief(&task->wait, ticks))
        return 0;
    uint64_t waker = woken_again_by(o, me, pc, sp);
    if (waker == 0)
        waker = woken_in_turn_by(o, me, pc, sp);
    if (waker != 0 && pl_passing_may_learn(task))
        pl_passing_learn(self, task, o, me);
    if (waker != 0)
        goes_on_quickly(self, task, o, waker, ticks, plain);
    return waker != 0;
}

PL_OTHER_WAY PL_FRAMELESS void ready_in_turn(struct loiter_task *t, const void *object)
{
    if (pl_is_deaf())
        return;
    struct pl_self *self = pl_enter_straight();
    if (__builtin_expect(self != NULL, 1)) {
        const struct loiter_task *me = pl_task_here(self);
        struct pl_actor *task = me == NULL ? NULL : pl_task_grown(t);
        const uint64_t id = pl_id_of(object);
        int done = 0;
        if (task != NULL && task->parked == PL_PARKED_PLAINLY && task->wait.object == id) {
            done = goes_on_in_turn(self, task, task->wait.record, me, PL_PC(), PL_SP(), 1);
        } else if (task != NULL && task->parked == PL_PARKED_SELECTING) {
            struct pl_object *o = self->thread->objects[pl_recent_slot(id)];
            done = o != NULL && pl_object_is(o, id) &&
                   goes_on_in_turn(self, task, o, me, PL_PC(), PL_SP(), 0);
        }
        pl_leave_quickly(self);
        if (__builtin_expect(done, 1))
            return;
    }
    ready_otherwise(t, object);
}

PL_EXPORT PL_FRAMELESS void loiter_task_ready(struct loiter_task *t, const void *object)
{
    struct pl_actor *task = pl_task_grown(t);
    if (task == NULL || task->parked != PL_PARKED_PLAINLY) {
        ready_in_turn(t, object);
        return;
    }
    struct pl_self *self = pl_enter_straight();
    if (__builtin_expect(self != NULL, 1)) {
        const struct loiter_task *me = pl_task_here(self);
        const int64_t ticks = (int64_t)(self->now - task->wait.began);
        int done = 0;
        if (me != NULL && task->wait.object == pl_id_of(object) && was_brief(&task->wait, ticks)) {
            struct pl_object *o = task->wait.record;
            const uint64_t waker =
                pl_passing_may_learn(task) ? 0 : woken_again_by(o, me, PL_PC(), PL_SP());
            if (waker != 0)
                goes_on_quickly(self, task, o, waker, ticks, 1);
            done = waker != 0;
        }
        pl_leave_quickly(self);
        if (__builtin_expect(done, 1))
            return;
    }
    ready_in_turn(t, object);
}
