/*
 * announce_objects.c - the runtime's side of loiter.h: objects, locks and timers.
 */
#include <loiter.h>

#include "preload/core/actor.h"
#include "preload/core/call.h"
#include "preload/core/object.h"
#include "preload/core/stack.h"
#include "preload/core/timer_cell.h"

static inline uint64_t id_of(const void *object)
{
    return (uint64_t)(uintptr_t)object;
}

PL_EXPORT void loiter_object_created(enum loiter_object kind, const void *object, size_t capacity,
                                     const void *caller)
{
    struct pl_self *self = pl_enter_here();
    if (self == NULL)
        return;
    pl_object_created(self, (enum el_object_kind)kind, id_of(object), capacity,
                      pl_stack_from(self, PL_CALL(), caller));
    pl_leave(self);
}

PL_EXPORT void loiter_object_closed(enum loiter_object kind, const void *object, const void *caller)
{
    struct pl_self *self = pl_enter_here();
    if (self == NULL)
        return;
    struct el_object *cell = pl_object_get(self, (enum el_object_kind)kind, id_of(object));
    if (cell != NULL) {
        pl_object_woken(self, id_of(object), pl_stack_from(self, PL_CALL(), caller));
        el_set_state(&cell->state, EL_CLOSED);
    }
    pl_leave(self);
}

PL_EXPORT void loiter_object_destroyed(enum loiter_object kind, const void *object, size_t left)
{
    (void)kind;
    struct pl_self *self = pl_enter_here();
    if (self == NULL)
        return;
    struct el_object *cell = pl_object_find(id_of(object));
    if (cell != NULL) {
        cell->items = left;
        pl_object_gone(id_of(object));
    }
    pl_leave(self);
}

PL_EXPORT void loiter_lock_acquired(enum loiter_wait why, const void *lock, const void *caller)
{
    struct pl_self *self = pl_enter_here();
    if (self == NULL)
        return;
    pl_held_push(self->actor, (uint32_t)why, lock, pl_stack_from(self, PL_CALL(), caller));
    pl_leave(self);
}

PL_EXPORT void loiter_lock_released(const void *lock, struct loiter_task *owner)
{
    struct pl_self *self = pl_enter_here();
    if (self == NULL)
        return;
    /* The list of another actor is not ours to change: it is told, and looks when it next asks. */
    if (!pl_held_remove(self->actor, lock, NULL) && owner != NULL)
        pl_held_foreign(lock);
    pl_leave(self);
}

PL_EXPORT void loiter_timer_armed(enum loiter_object kind, const void *timer, int64_t first_ns,
                                  int64_t period_ns, int stoppable, const void *caller)
{
    struct pl_self *self = pl_enter_here();
    if (self == NULL)
        return;
    pl_timer_armed(self, (enum el_object_kind)kind, id_of(timer),
                   first_ns < 0 ? 0 : (uint64_t)first_ns, period_ns < 0 ? 0 : (uint64_t)period_ns,
                   stoppable ? 0 : EL_TIMER_UNSTOPPABLE, pl_stack_from(self, PL_CALL(), caller));
    pl_leave(self);
}

/* What the runtime's timer of that address is: it says so only when it arms it. */
static enum el_object_kind kind_of(const void *timer)
{
    for (uint32_t kind = EL_OBJ_TIMER; kind <= EL_OBJ_TICK; kind++)
        if (pl_timer_find((enum el_object_kind)kind, id_of(timer)) != NULL)
            return (enum el_object_kind)kind;
    return EL_OBJ_OTHER;
}

PL_EXPORT void loiter_timer_stopped(const void *timer)
{
    struct pl_self *self = pl_enter_here();
    if (self == NULL)
        return;
    enum el_object_kind kind = kind_of(timer);
    if (kind != EL_OBJ_OTHER)
        pl_timer_stopped(kind, id_of(timer));
    pl_leave(self);
}

PL_EXPORT void loiter_timer_fired(const void *timer, int dropped)
{
    struct pl_self *self = pl_enter_here();
    if (self == NULL)
        return;
    enum el_object_kind kind = kind_of(timer);
    if (kind != EL_OBJ_OTHER)
        pl_timer_fired(kind, id_of(timer), 1, dropped ? 1 : 0);
    pl_leave(self);
}

PL_EXPORT void loiter_timer_destroyed(const void *timer)
{
    struct pl_self *self = pl_enter_here();
    if (self == NULL)
        return;
    enum el_object_kind kind = kind_of(timer);
    if (kind != EL_OBJ_OTHER)
        pl_timer_destroyed(kind, id_of(timer));
    pl_leave(self);
}
