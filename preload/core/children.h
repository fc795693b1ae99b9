/*
 * children.h - child processes: how many of those made at a place have ended and were never waited
 * for, so that the kernel still keeps them.
 *
 * Who waits for a child, and how, is not looked at: the kernel is asked what has become of it, by a
 * call that leaves it as it is. That happens when further children are made, a few of those before
 * at a time, so a child is only counted when it had ended before another was made.
 */
#ifndef PRELOAD_CORE_CHILDREN_H
#define PRELOAD_CORE_CHILDREN_H

#include <sys/types.h>

#include "preload/core/call.h"
#include "preload/core/gate.h"

/* The process has made `child`; keeps errno. Does nothing where that is no child, or no record. */
PL_HIDDEN void pl_child_made(pid_t child, struct pl_call call);

/* At the end, guard on: those that have been waited for since are taken off. */
PL_HIDDEN void pl_children_at_end(void);

/* At the start and in a fork child. */
PL_HIDDEN void pl_children_reset(void);

#endif
