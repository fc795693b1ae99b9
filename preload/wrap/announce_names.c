/*
 * announce_names.c - the runtime's side of loiter.h: what tasks call themselves, and threads of the
 * program that wait for what the runtime has.
 */
#include <loiter.h>

#include "preload/core/call.h"
#include "preload/core/named.h"
#include "preload/wrap/announce.h"

PL_EXPORT void loiter_task_named(struct loiter_task *t, const char *name, const char *labels)
{
    struct pl_self *self = pl_enter_blindly();
    if (self == NULL)
        return;
    struct pl_actor *task = pl_task_of(self, t);
    if (task != NULL)
        pl_named_set(task, name, labels);
    pl_leave(self);
}

/* The thread's own actor; in a call that may block, the task's whose call it is. */
PL_EXPORT void loiter_thread_waits(struct loiter_task *t)
{
    t->tool = NULL;
    struct pl_self *self = pl_enter_here();
    if (self == NULL)
        return;
    t->tool = self->actor;
    pl_leave(self);
}
