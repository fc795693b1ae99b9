/*
 * stack.h - ids of call stacks.
 *
 * A stack is written to the record once, as a `stack` event, and known by its id from then on.
 */
#ifndef PRELOAD_CORE_STACK_H
#define PRELOAD_CORE_STACK_H

#include <stdint.h>

#include "preload/core/call.h"
#include "preload/core/gate.h"

#define PL_STACK_DEPTH_MAX 64

/* The id of the stack at `call`: its first frame is call.pc. 0 when there is none. Call it with the
 * guard on (between pl_enter and pl_leave). Keeps errno. */
PL_HIDDEN uint32_t pl_stack(struct pl_self *self, struct pl_call call);

/* As pl_stack, with the frames below the one that returns to `first` dropped; when no frame does,
 * nothing is dropped. For runtimes that name their caller. */
PL_HIDDEN uint32_t pl_stack_from(struct pl_self *self, struct pl_call call, const void *first);

#endif
