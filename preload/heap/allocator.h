/*
 * allocator.h - what the allocator behind us says of itself, where it is one that can be asked.
 */
#ifndef PRELOAD_HEAP_ALLOCATOR_H
#define PRELOAD_HEAP_ALLOCATOR_H

#include <stdint.h>

#include "preload/core/gate.h"

/* Writes an `allocator` event where the allocator is jemalloc, given by --allocator=jemalloc or by
 * the program itself. Takes jemalloc's locks for a moment, as any thread that allocates does. Guard
 * on. */
PL_HIDDEN void pl_allocator_write(struct pl_self *self);

/* The same, when a sample was taken and the last time is long enough ago. */
PL_HIDDEN void pl_allocator_tick(struct pl_self *self, uint64_t now);

#endif
