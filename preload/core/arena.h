/*
 * arena.h - the library's own memory: mapped, handed out in pieces, never the host's allocator.
 *
 * pl_arena_alloc gives zeroed memory that is never given back one by one. A pool recycles records
 * of one size. Both are safe from every thread and from signal handlers, take no lock and give NULL
 * when there is no memory. Recycled memory stays mapped, so a stale pointer reads old bytes and
 * never faults.
 */
#ifndef PRELOAD_CORE_ARENA_H
#define PRELOAD_CORE_ARENA_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "preload/core/gate.h"

PL_HIDDEN void *pl_arena_alloc(size_t bytes);

/* The same, of whose pages each is written to: for small tables that are read first. A page that
 * was only read is one of zeros that all share, and to write there later interrupts other
 * processors. */
PL_HIDDEN void *pl_arena_alloc_touched(size_t bytes);
/* The same for a table: in a fork child nothing points into it any more. */
PL_HIDDEN void *pl_arena_table(size_t bytes);

/* In a fork child, before anything else of the library is used: begins anew. Where it is `closed`,
 * there is no memory until the next time. Records that the
 * parent handed out read as zeros from then on, since the child may still hold pointers to them (a
 * task's `tool` word); the rest of its memory is given back. */
PL_HIDDEN void pl_arena_reset(int closed);

/* Calls back with each mapped piece, those from before a fork included. */
PL_HIDDEN void pl_arena_each(void (*on)(uintptr_t lo, uintptr_t hi, void *ctx), void *ctx);

/* Bytes mapped now. */
PL_HIDDEN size_t pl_arena_bytes(void);

/* Records start with a struct pl_pool_link. */
struct pl_pool_link {
    _Atomic uintptr_t next;
};

/* What all threads write has a cache line to itself: beside it may lie what all read. */
struct pl_pool {
    size_t bytes; /* of a record */
    /* Pointer in the lower 48 bits, a count in the upper 16: a record that was taken and put back
     * in between is noticed (ABA). */
    _Atomic uint64_t head;
} __attribute__((aligned(64)));

/* A record; *fresh says that it is zeroed and was never used before. NULL without memory. */
PL_HIDDEN void *pl_pool_get(struct pl_pool *pool, int *fresh);
/* Only one that was used before; NULL when there is none. */
PL_HIDDEN void *pl_pool_again(struct pl_pool *pool);
PL_HIDDEN void pl_pool_put(struct pl_pool *pool, void *record);

#endif
