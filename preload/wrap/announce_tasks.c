/*
 * announce_tasks.c - the runtime's side of loiter.h: what tasks do to the threads below them, and
 * what becomes of groups of them. The life of tasks is in announce.c.
 */
#include <loiter.h>

#include "preload/core/blocked.h"
#include "preload/core/call.h"
#include "preload/core/clock.h"
#include "preload/core/group.h"
#include "preload/core/record.h"
#include "preload/core/site.h"
#include "preload/core/spin.h"
#include "preload/core/stack.h"
#include "preload/wrap/announce.h"

PL_EXPORT void loiter_blocking_call(const void *caller)
{
    struct pl_self *self = pl_enter_here();
    if (self == NULL)
        return;
    uint32_t stack = pl_stack_from(self, PL_CALL(), caller);
    self->actor->blocking = pl_site_get(EL_SITE_BLOCKED, stack, 0);
    pl_leave(self);
}

PL_EXPORT void loiter_blocking_begin(size_t stack_bytes)
{
    struct pl_self *self = pl_enter_here();
    if (self == NULL)
        return;
    struct pl_actor *actor = self->actor;
    struct pl_site *site = actor->blocking;
    if (site != NULL && actor->blocked == NULL) {
        actor->blocked_at = pl_now();
        pl_blocked_begins(self, actor, site, actor->cell->created_stack, stack_bytes,
                          actor->blocked_at);
    }
    actor->blocking = NULL;
    pl_leave(self);
}

PL_EXPORT void loiter_blocking_end(void)
{
    struct pl_self *self = pl_enter_here();
    if (self == NULL)
        return;
    struct pl_actor *actor = self->actor;
    if (actor->blocked != NULL) {
        uint64_t now = pl_now();
        pl_blocked_ends(actor, now > actor->blocked_at ? now - actor->blocked_at : 0);
    }
    pl_leave(self);
}

/* ---- groups ---- */

PL_EXPORT void loiter_group_failed(const void *group, unsigned running, int error, int cancels)
{
    struct pl_self *self = pl_enter_here();
    if (self == NULL)
        return;
    pl_group_failed(self, pl_id_of(group), running, error, cancels);
    pl_leave(self);
}

PL_EXPORT void loiter_group_changed(const void *group, unsigned running, int started)
{
    struct pl_self *self = pl_enter_here();
    if (self == NULL)
        return;
    pl_group_changed(pl_id_of(group), running, started);
    pl_leave(self);
}

PL_EXPORT void loiter_group_waited(const void *group)
{
    struct pl_self *self = pl_enter_here();
    if (self == NULL)
        return;
    pl_group_waited(pl_id_of(group));
    pl_leave(self);
}

PL_SECOND_WAY void begun_slowly(const void *group, const void *caller)
{
    struct pl_self *self = pl_enter_here();
    if (self == NULL)
        return;
    pl_waitgroup_begun(self, pl_id_of(group), PL_CALL(), caller);
    pl_leave(self);
}

__attribute__((noinline)) PL_FRAMELESS static void begun_again(const void *group,
                                                               const void *caller)
{
    if (pl_is_deaf())
        return;
    struct pl_self *self = pl_enter_quickly();
    if (__builtin_expect(self != NULL, 1)) {
        const struct pl_actor *actor = pl_runs_here(self);
        int done = actor != NULL && pl_waitgroup_begun_again(self, actor, pl_id_of(group));
        pl_leave_quickly(self);
        if (__builtin_expect(done, 1))
            return;
    }
    begun_slowly(group, caller);
}

/* The usual case only looks. */
PL_EXPORT PL_FRAMELESS void loiter_waitgroup_begun(const void *group, const void *caller)
{
    const struct pl_self *self = &pl_self_block;
    const uintptr_t here = pl_is_on() && self->running != NULL ? (uintptr_t)*self->running : 0;
    if (here != 0 && self->thread != NULL &&
        pl_waitgroup_begun_alike(
            self, (const struct loiter_task *)(here + self->running_offset), /* NOLINT */
            pl_id_of(group)))
        return;
    begun_again(group, caller);
}

PL_SECOND_WAY void waited_slowly(const void *group, const void *caller)
{
    if (pl_is_deaf())
        return;
    struct pl_self *self = pl_enter_here();
    if (self == NULL)
        return;
    const struct pl_call call = PL_CALL();
    uint32_t stack = pl_stack_near(self, (uintptr_t)caller, call.sp);
    pl_waitgroup_waited(self, pl_id_of(group),
                        stack != 0 ? stack : pl_stack_often(self, call, caller));
    pl_leave(self);
}

/* It waited last from elsewhere, or the frames further out are to be looked at. */
PL_INLINE int waited_near(struct pl_self *self, struct pl_actor *actor, uint64_t group,
                          uintptr_t caller, uintptr_t sp)
{
    const uint32_t stack = pl_stack_near_on(self, pl_stack_end_of(self, actor), caller, sp);
    return stack != 0 && pl_waitgroup_waited_again(self, actor, group, stack, caller, sp);
}

PL_EXPORT PL_FRAMELESS void loiter_waitgroup_waited(const void *group, const void *caller)
{
    struct pl_self *self = pl_enter_quickly();
    if (__builtin_expect(self != NULL, 1)) {
        const uint64_t id = pl_id_of(group);
        struct pl_actor *actor = pl_runs_here(self);
        int done = actor != NULL &&
                   (pl_waitgroup_waited_alike(self, actor, id, (uintptr_t)caller, PL_SP()) ||
                    waited_near(self, actor, id, (uintptr_t)caller, PL_SP()));
        pl_leave_quickly(self);
        if (__builtin_expect(done, 1))
            return;
    }
    waited_slowly(group, caller);
}

PL_EXPORT void loiter_misused(enum loiter_misuse kind, const void *object, const char *what,
                              const void *caller)
{
    struct pl_self *self = pl_enter_here();
    if (self == NULL)
        return;
    struct el_misuse event = {.actor = self->actor->id,
                              .object = pl_id_of(object),
                              .kind = (uint32_t)kind,
                              .stack = pl_stack_from(self, PL_CALL(), caller),
                              .text = what};
    PL_WRITE(self, misuse, &event);
    pl_leave(self);
}

/* ---- spins ---- */

PL_EXPORT void loiter_task_spins(unsigned n, int tries, const void *caller)
{
    struct pl_self *self = pl_enter_here();
    if (self == NULL)
        return;
    pl_spin_block(self, tries ? EL_SPIN_TRY : EL_SPIN_YIELD, n,
                  pl_stack_from(self, PL_CALL(), caller));
    pl_leave(self);
}
