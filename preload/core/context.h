/*
 * context.h - contexts: who used them last, and those that were let go of without a cancel. Guard
 * on.
 */
#ifndef PRELOAD_CORE_CONTEXT_H
#define PRELOAD_CORE_CONTEXT_H

#include <stdint.h>

#include "preload/core/object.h"

PL_HIDDEN void pl_context_begins(struct pl_self *self, const struct pl_object *context);
/* Asked, given to a child, waited on. */
static inline void pl_context_used(const struct pl_self *self, const struct pl_object *context)
{
    context->cell->last_waiter = self->actor->id;
}
/* The program can use it no more, and something keeps it: its timer. */
PL_HIDDEN void pl_context_dropped(struct pl_object *context, uint32_t stack);
/* Cancelled, expired or destroyed: what was let go of is over. */
PL_HIDDEN void pl_context_over(struct pl_object *context);
PL_HIDDEN void pl_context_gone(struct pl_object *context);
/* The run, or the process, ends. */
PL_HIDDEN void pl_contexts_at_end(void);

#endif
