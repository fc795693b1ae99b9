/*
 * live.h - all blocks that are alive at one moment, in order, with a fast way from any address to
 * the block that it lies in.
 */
#ifndef PRELOAD_HEAP_LIVE_H
#define PRELOAD_HEAP_LIVE_H

#include <stddef.h>
#include <stdint.h>

#include "preload/core/gate.h"

enum pl_reach { PL_UNREACHED, PL_REACHED, PL_REACHED_BY_LEAK, PL_REACHED_BY_DIRECT };

struct pl_live_block {
    uint64_t start;
    uint64_t size : 54;
    uint64_t reach : 2;  /* pl_reach */
    uint64_t known : 1;  /* blocks.h knows of it */
    uint64_t arena : 1;  /* of the C library's: it lies in a heap of a second arena */
    uint64_t mapped : 1; /* likewise: it has a mapping of its own */
};

/* What a block of the C library's has room for, by the word before it. */
#define PL_CHUNK_MAPPED 2u
#define PL_CHUNK_ARENA  4u
#define PL_CHUNK_FLAGS  7u
#define PL_CHUNK_HEAD   8u
static inline uint64_t pl_live_chunk_bytes(uint64_t head)
{
    uint64_t chunk = head & ~(uint64_t)PL_CHUNK_FLAGS;
    return chunk - ((head & PL_CHUNK_MAPPED) != 0 ? 2 * PL_CHUNK_HEAD : PL_CHUNK_HEAD);
}

#define PL_LIVE_PARTS 4

struct pl_live {
    struct pl_live_block *blocks;
    size_t n;
    uint64_t bytes;               /* in all blocks */
    uint64_t lo, span;            /* no address outside lies in a block */
    struct pl_live_leaf **leaves; /* where each leaf has blocks: see live.c */
    void *memory[PL_LIVE_PARTS];  /* of ours, to be skipped and given back */
    size_t sizes[PL_LIVE_PARTS];
};

/* Takes stock. 0; -12 without memory; -62 where `is_late` says so, which is asked now and then with
 * the number of blocks that are still to be taken. pl_live_close in any case. */
PL_HIDDEN int pl_live_open(struct pl_live *live, int (*is_late)(void *ctx, size_t left), void *ctx);
PL_HIDDEN void pl_live_close(struct pl_live *live);

/* The block that the address lies in, its first byte for an empty one; NULL for none. */
PL_HIDDEN struct pl_live_block *pl_live_find_within(const struct pl_live *live, uint64_t address);
static inline struct pl_live_block *pl_live_find(const struct pl_live *live, uint64_t address)
{
    return address - live->lo < live->span ? pl_live_find_within(live, address) : NULL;
}

/* The first block that begins at or above the address; live->n for none. */
PL_HIDDEN size_t pl_live_from(const struct pl_live *live, uint64_t address);

#endif
