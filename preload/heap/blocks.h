/*
 * blocks.h - what is known of single blocks: of the samples, or of all (--heap=full).
 *
 * Samples are few and lie in a hash table. Where each block is known, what is known of it lies at a
 * fixed place for each grain of address space (starts.h), in leaves that are reserved like those.
 * A block's PL_KNOWN bit is set once it can be found here, and cleared when it is taken out.
 */
#ifndef PRELOAD_HEAP_BLOCKS_H
#define PRELOAD_HEAP_BLOCKS_H

#include <stdint.h>

#include "preload/core/gate.h"

struct pl_block {
    uint64_t size;  /* as asked for */
    uint64_t at;    /* clock, when it was had */
    uint32_t stack; /* where */
};

/* Begins anew: what was known before is not found any more. 0, or -1 without memory. */
PL_HIDDEN int pl_blocks_init(int all);

/* Of a block that pl_starts_add noted. 0, or -1 when there is no room. Guard on, as for the next.
 */
PL_HIDDEN int pl_blocks_add(uintptr_t address, const struct pl_block *block);
/* 1 and *block, and the block's start is noted no more; 0 when nothing is known of it. */
PL_HIDDEN int pl_blocks_take(uintptr_t address, struct pl_block *block);
/* The same without taking it out. */
PL_HIDDEN int pl_blocks_find(uintptr_t address, struct pl_block *block);

/* Is it sure that none is known? */
PL_HIDDEN int pl_blocks_none(void);

/* Bytes reserved, as a range for each leaf. */
PL_HIDDEN void pl_blocks_each_leaf(void (*on)(uintptr_t lo, uintptr_t hi, void *ctx), void *ctx);

#endif
