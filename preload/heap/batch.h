/*
 * batch.h - many blocks that are to be read, in the order of their addresses: small ones, and the
 * heads of larger ones.
 *
 * What lies near each other is read as one part: a part costs the kernel as much as some hundred
 * bytes more.
 */
#ifndef PRELOAD_HEAP_BATCH_H
#define PRELOAD_HEAP_BATCH_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "preload/heap/live.h"

#define PL_BATCH_MOST  8192u
#define PL_BATCH_PARTS 128u
#define PL_BATCH_GAP   1024u
#define PL_BATCH_HEAD  ((size_t)1024)
/* As long as this is a block that is read as a whole: to come back for the rest of it costs the
 * kernel as much. */
#define PL_BATCH_WHOLE ((size_t)8192)

struct pl_batch {
    uint32_t blocks[PL_BATCH_MOST]; /* by their number in the stock, which is in order */
    uint32_t at[PL_BATCH_MOST];     /* where each is in what was read */
    size_t n;
    struct iovec parts[PL_BATCH_PARTS];
};

/* Brings the numbers, each below `nblocks`, into order. */
PL_HIDDEN void pl_batch_sort(struct pl_batch *batch, size_t nblocks);

/* Of the whole words of a block that are read with others. */
PL_INLINE size_t pl_batch_bytes(const struct pl_live_block *block)
{
    return (block->size <= PL_BATCH_WHOLE ? block->size : PL_BATCH_HEAD) & ~(size_t)7;
}

/* The parts in which the blocks from the i-th on are read, as many as have room for. Gives the one
 * behind them, and how many parts and bytes there are. A block must fit. */
PL_HIDDEN size_t pl_batch_plan(struct pl_batch *batch, const struct pl_live_block *stock, size_t i,
                               size_t room, size_t *nparts, size_t *bytes);

#endif
