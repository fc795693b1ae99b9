/*
 * heap.h - what the allocator's wrappers tell of the program's blocks.
 *
 * Modes, by the option `heap`: 0 off, 1 sampled, 2 each block. Each block's start is noted
 * (starts.h) unless it is off; of the blocks that are looked at (sample.h) a site has totals, and
 * stack, size and time stay known until they are freed (blocks.h).
 *
 * A thread counts down the bytes to its next sample; while these last, a block costs a subtraction
 * and a byte stored. A block that is freed costs a byte read and stored.
 */
#ifndef PRELOAD_HEAP_HEAP_H
#define PRELOAD_HEAP_HEAP_H

#include <stdint.h>

#include "preload/core/call.h"
#include "preload/core/gate.h"
#include "preload/heap/starts.h"

enum pl_heap_mode { PL_HEAP_OFF = 0, PL_HEAP_SAMPLED = 1, PL_HEAP_FULL = 2 };

/* Of the calling thread. Plain: a handler that interrupts a change can lose a count, never more. */
struct pl_heap_thread {
    uint64_t left;   /* bytes to the next sample; 0: each block is one, or nothing was drawn yet */
    uint64_t calls;  /* since they were last added to the totals */
    uint64_t bytes;  /* likewise, without those of the present distance */
    uint64_t drawn;  /* the present distance */
    uint64_t random; /* 0: nothing was drawn yet */
    uint32_t enlarges; /* the request is realloc's, for a block that was there */
};
extern PL_HIDDEN __thread struct pl_heap_thread pl_heap_thread
    __attribute__((tls_model("initial-exec")));

/* Counts a request; 0 when pl_heap_got must be told of its block, as from the start and as long as
 * not all real functions are known. Loads and stores that the compiler leaves apart: one addition
 * of both as a vector is slower. */
static inline int pl_heap_passes(uint64_t size)
{
    uint64_t left = __atomic_load_n(&pl_heap_thread.left, __ATOMIC_RELAXED);
    if (__builtin_expect(size >= left, 0))
        return 0;
    __atomic_store_n(&pl_heap_thread.left, left - size, __ATOMIC_RELAXED);
    pl_heap_thread.calls++;
    return 1;
}

/* Notes where a block begins; gives it back. */
static inline void *pl_heap_note(void *block)
{
    pl_starts_add((uintptr_t)block);
    return block;
}

/* For a request that did not pass: counts it, notes its block (NULL for none), and looks at it.
 * Gives it back. Keeps errno. */
PL_HIDDEN void *pl_heap_got(void *block, uint64_t size, struct pl_call call);

/* The block is about to be freed, and pl_starts_take did not settle it. Keeps errno. */
PL_HIDDEN void pl_heap_gone(void *block);

/* Adds the calling thread's counts to the totals of the process, as a thread does before it ends
 * and the process before it exits. Guard on. */
PL_HIDDEN void pl_heap_flush(void);

/* The process ends: looks for blocks that nothing reaches, and asks the allocator. Guard on. */
PL_HIDDEN void pl_heap_end(struct pl_self *self);

/* The program sets a mark: the same, as things stand there, for as long as it may take. Guard on.
 */
PL_HIDDEN void pl_heap_mark(struct pl_self *self);

/* A record begins: makes the tables. pl_heap_silent: it will begin with the first sample, if not
 * before. pl_heap_rest: none does, nothing is noted from now on. */
PL_HIDDEN void pl_heap_start(void);
PL_HIDDEN void pl_heap_silent(void);
PL_HIDDEN void pl_heap_rest(void);

#endif
