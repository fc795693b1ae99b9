/*
 * announce_objects.c - the runtime's side of loiter.h: objects, locks and timers.
 */
#include <loiter.h>

#include "preload/core/actor.h"
#include "preload/core/call.h"
#include "preload/core/channel.h"
#include "preload/core/contention.h"
#include "preload/core/context.h"
#include "preload/core/note.h"
#include "preload/core/object.h"
#include "preload/core/stack.h"
#include "preload/core/timer_cell.h"
#include "preload/wrap/announce.h"

PL_EXPORT void loiter_object_created(enum loiter_object kind, const void *object, size_t capacity,
                                     const void *caller)
{
    struct pl_self *self = pl_enter_here();
    if (self == NULL)
        return;
    pl_object_created(self, (enum el_object_kind)kind, pl_id_of(object), capacity,
                      pl_stack_from(self, PL_CALL(), caller));
    struct pl_object *context =
        kind == LOITER_OBJ_CONTEXT ? pl_object_look(self, pl_id_of(object)) : NULL;
    if (context != NULL)
        pl_context_begins(self, context);
    pl_leave(self);
}

PL_EXPORT void loiter_object_closed(enum loiter_object kind, const void *object, const void *caller)
{
    struct pl_self *self = pl_enter_here();
    if (self == NULL)
        return;
    struct pl_object *o = pl_object_record(self, (enum el_object_kind)kind, pl_id_of(object), 1);
    if (o != NULL) {
        pl_object_woken(self, o, pl_stack_from(self, PL_CALL(), caller));
        el_set_state(&o->cell->state, EL_CLOSED);
        pl_object_forget(o);
        struct pl_object *context =
            kind == LOITER_OBJ_CONTEXT ? pl_object_look(self, pl_id_of(object)) : NULL;
        if (context != NULL)
            pl_context_over(context);
    }
    pl_leave(self);
}

PL_EXPORT void loiter_object_destroyed(enum loiter_object kind, const void *object, size_t left)
{
    struct pl_self *self = pl_enter_here();
    if (self == NULL)
        return;
    struct pl_object *o = pl_object_look(self, pl_id_of(object));
    if (o != NULL) {
        o->cell->items = left;
        pl_channel_ends(self, o, left);
        if (kind == LOITER_OBJ_CONTEXT)
            pl_context_gone(o);
        pl_object_gone(pl_id_of(object));
    }
    pl_leave(self);
}

PL_EXPORT void loiter_object_used(enum loiter_object kind, const void *object)
{
    struct pl_self *self = pl_enter_here();
    if (self == NULL)
        return;
    struct pl_object *o =
        kind == LOITER_OBJ_CONTEXT ? pl_object_recent(self, pl_id_of(object)) : NULL;
    if (o != NULL)
        pl_context_used(self, o);
    pl_leave(self);
}

PL_EXPORT void loiter_object_dropped(enum loiter_object kind, const void *object,
                                     const void *caller)
{
    struct pl_self *self = pl_enter_here();
    if (self == NULL)
        return;
    struct pl_object *o =
        kind == LOITER_OBJ_CONTEXT ? pl_object_recent(self, pl_id_of(object)) : NULL;
    if (o != NULL)
        pl_context_dropped(o, pl_stack_from(self, PL_CALL(), caller));
    pl_leave(self);
}

PL_EXPORT void loiter_object_items(const void *object, const size_t *count, size_t item_bytes)
{
    struct pl_self *self = pl_enter_here();
    if (self == NULL)
        return;
    struct pl_object *o = pl_object_recent(self, pl_id_of(object));
    if (o != NULL)
        pl_channel_begins(self, o, count, item_bytes);
    pl_leave(self);
}

/* ---- locks ---- */

/* Of the usual cases, which call nothing: the place is a known one, few locks are held, and the
 * latest is given back first. 0: it is another case, and nothing was written. */
static inline int acquired_again(struct pl_self *self, uint16_t kind, const void *lock,
                                 uintptr_t caller, struct pl_call call)
{
    struct pl_actor *actor = pl_runs_here(self);
    if (actor == NULL || pl_noted(self))
        return 0;
    const uint32_t stack = pl_stack_near_on(self, pl_stack_end_of(self, actor), caller, call.sp);
    const struct pl_held_lock held = {.lock = lock,
                                      .kind = kind,
                                      .unsure = 1,
                                      .stack = stack,
                                      .pc = call.pc,
                                      .sp = call.sp,
                                      .near = &pl_near_none};
    if (stack == 0 || !pl_held_push_simply(actor, &held))
        return 0;
    pl_actor_tells(actor);
    return 1;
}

static inline int released_again(struct pl_self *self, const void *lock)
{
    struct pl_actor *actor = pl_runs_here(self);
    if (actor == NULL)
        return 0;
    pl_contention_released_by(self, lock, actor);
    return !pl_noted(self) && pl_held_remove_simply(actor, lock);
}

__attribute__((noinline)) static void acquired(enum loiter_wait why, const void *lock,
                                               const void *caller, struct pl_call call)
{
    struct pl_self *self = pl_enter_here();
    if (self == NULL)
        return;
    struct pl_held_lock held = {.lock = lock,
                                .kind = (uint16_t)why,
                                .unsure = 1,
                                .stack = pl_stack_near(self, (uintptr_t)caller, call.sp),
                                .pc = call.pc,
                                .sp = call.sp,
                                .near = &pl_near_none};
    pl_actor_tells(self->actor);
    if (held.stack == 0 || !pl_held_push_simply(self->actor, &held)) {
        int known = held.stack != 0;
        if (!known)
            held.stack = pl_contention_place(self, call, caller);
        pl_held_push(self->actor, (uint32_t)why, lock, held.stack);
        if (!known)
            pl_contention_taken(self, lock, held.stack, 0);
    }
    pl_leave(self);
}

PL_EXPORT void loiter_lock_acquired(enum loiter_wait why, const void *lock, const void *caller)
{
    struct pl_self *self = pl_enter_quickly();
    if (__builtin_expect(self != NULL, 1)) {
        int done = acquired_again(self, (uint16_t)why, lock, (uintptr_t)caller, PL_CALL());
        pl_leave_quickly(self);
        if (__builtin_expect(done, 1))
            return;
    }
    acquired(why, lock, caller, PL_CALL());
}

PL_EXPORT void loiter_lock_taken(enum loiter_wait why, const void *lock, const void *pc,
                                 const void *frame, const void *caller)
{
    struct pl_self *self = pl_enter_here();
    if (self == NULL) {
        pl_note_refill();
        return;
    }
    const struct pl_place place = {pc, frame, caller};
    uint32_t stack = pl_stack_of_place(self, &place), uses = pl_note_uses(self);
    pl_held_push(self->actor, (uint32_t)why, lock, stack);
    if (uses != 0) {
        pl_contention_stands_for(self, uses);
        pl_contention_taken(self, lock, stack, 0);
    }
    pl_leave(self);
}

PL_EXPORT void loiter_note_moves(void)
{
    struct pl_self *self = pl_enter_here();
    if (self != NULL)
        pl_leave(self);
    else
        pl_note_empty();
}

__attribute__((noinline)) static void released(const void *lock, const struct loiter_task *owner)
{
    struct pl_self *self = pl_enter_here();
    if (self == NULL)
        return;
    pl_contention_released(self, lock);
    /* The list of another actor is not ours to change: it is told, and looks when it next asks. */
    if (!pl_held_remove_simply(self->actor, lock) && !pl_held_remove(self->actor, lock, NULL) &&
        owner != NULL && !pl_note_drop(lock))
        pl_held_foreign(lock);
    pl_leave(self);
}

PL_EXPORT void loiter_lock_released(const void *lock, struct loiter_task *owner)
{
    struct pl_self *self = pl_enter_quickly();
    if (__builtin_expect(self != NULL, 1)) {
        int done = released_again(self, lock);
        pl_leave_quickly(self);
        if (__builtin_expect(done, 1))
            return;
    }
    released(lock, owner);
}

/* ---- time ---- */

static int fits(const struct el_timer *cell, const void *timer)
{
    return cell != NULL && cell->object == pl_id_of(timer) && cell->state != EL_TIMER_FREE &&
           cell->run == pl_timer_run && (cell->flags & EL_TIMER_ABANDONED) == 0 &&
           cell->kind >= EL_OBJ_TIMER && cell->kind <= EL_OBJ_TICK;
}

/* The cell of the runtime's timer of that address, whose kind is told only when it is armed; those
 * that a thread asks for again are found in a table of its own. */
static struct el_timer *find(const struct pl_self *self, const void *timer)
{
    struct el_timer **recent = &self->thread->timers[pl_recent_slot(pl_id_of(timer))];
    if (fits(*recent, timer))
        return *recent;
    for (uint32_t kind = EL_OBJ_TIMER; kind <= EL_OBJ_TICK; kind++) {
        struct el_timer *cell = pl_timer_find((enum el_object_kind)kind, pl_id_of(timer));
        if (cell != NULL)
            return *recent = cell;
    }
    return NULL;
}

/* One that fires once was set before: no rule asks where and when it was set last, so the first
 * place stays, and the time is that of the thread's last reading. */
static int armed_again(struct pl_self *self, enum el_object_kind kind, const void *timer,
                       int64_t first_ns)
{
    struct el_timer *cell = find(self, timer);
    if (cell == NULL || cell->kind != kind || cell->period_ns != 0 || cell->armed_stack == 0)
        return 0;
    cell->first_ns = first_ns < 0 ? 0 : (uint64_t)first_ns;
    if (cell->armed_at < self->now)
        cell->armed_at = self->now;
    if (cell->state != EL_TIMER_ARMED)
        el_set_state(&cell->state, EL_TIMER_ARMED);
    return 1;
}

PL_EXPORT void loiter_timer_armed(enum loiter_object kind, const void *timer, int64_t first_ns,
                                  int64_t period_ns, int stoppable, const void *caller)
{
    struct pl_self *self = pl_enter_here();
    if (self == NULL)
        return;
    enum el_object_kind of = (enum el_object_kind)kind;
    if (period_ns > 0 || !armed_again(self, of, timer, first_ns))
        pl_timer_armed(self, of, pl_id_of(timer), first_ns < 0 ? 0 : (uint64_t)first_ns,
                       period_ns < 0 ? 0 : (uint64_t)period_ns,
                       stoppable ? 0 : EL_TIMER_UNSTOPPABLE,
                       pl_stack_from(self, PL_CALL(), caller));
    pl_leave(self);
}

PL_EXPORT void loiter_timer_stopped(const void *timer)
{
    struct pl_self *self = pl_enter_here();
    if (self == NULL)
        return;
    const struct el_timer *cell = find(self, timer);
    if (cell != NULL)
        pl_timer_stopped((enum el_object_kind)cell->kind, pl_id_of(timer));
    pl_leave(self);
}

PL_EXPORT void loiter_timer_fired(const void *timer, int dropped)
{
    struct pl_self *self = pl_enter_here();
    if (self == NULL)
        return;
    const struct el_timer *cell = find(self, timer);
    if (cell != NULL)
        pl_timer_fired((enum el_object_kind)cell->kind, pl_id_of(timer), 1, dropped ? 1 : 0);
    pl_leave(self);
}

PL_EXPORT void loiter_timer_destroyed(const void *timer)
{
    struct pl_self *self = pl_enter_here();
    if (self == NULL)
        return;
    const struct el_timer *cell = find(self, timer);
    if (cell != NULL)
        pl_timer_destroyed((enum el_object_kind)cell->kind, pl_id_of(timer));
    pl_leave(self);
}

PL_EXPORT void loiter_timer_dropped(const void *timer, const void *caller)
{
    struct pl_self *self = pl_enter_here();
    if (self == NULL)
        return;
    struct el_timer *cell = find(self, timer);
    if (cell != NULL)
        pl_timer_dropped(cell, pl_stack_from(self, PL_CALL(), caller));
    pl_leave(self);
}

PL_EXPORT void loiter_timer_bytes(enum loiter_object kind, size_t bytes)
{
    pl_timer_bytes((enum el_object_kind)kind, bytes);
}
