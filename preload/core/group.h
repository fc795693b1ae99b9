/*
 * group.h - groups of tasks: what runs on after the first error, and work that is added to a wait
 * group behind the back of who waits for it. Guard on.
 */
#ifndef PRELOAD_CORE_GROUP_H
#define PRELOAD_CORE_GROUP_H

#include <stdint.h>

#include "preload/core/actor.h"
#include "preload/core/call.h"

/* The current actor's group has its first error; it, or another member, ends. */
PL_HIDDEN void pl_group_failed(const struct pl_self *self, uint64_t group, uint32_t running,
                               int error, int cancels);
PL_HIDDEN void pl_group_left(uint64_t group, uint32_t running, int started);

/* The current actor adds from zero, or has waited. */
PL_HIDDEN void pl_waitgroup_begun(struct pl_self *self, uint64_t group, struct pl_call call,
                                  const void *caller);
PL_HIDDEN void pl_waitgroup_waited(struct pl_self *self, uint64_t group, uint32_t stack);

/* At the start and in a fork child. */
PL_HIDDEN void pl_groups_reset(void);

#endif
