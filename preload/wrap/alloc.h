/*
 * alloc.h - what the allocator's wrappers counted.
 */
#ifndef PRELOAD_WRAP_ALLOC_H
#define PRELOAD_WRAP_ALLOC_H

#include "preload/core/gate.h"

/* Adds the calling thread's counts to the totals of the process, as a thread does before it ends
 * and the process before it exits. Guard on. */
PL_HIDDEN void pl_alloc_flush(struct pl_self *self);

#endif
