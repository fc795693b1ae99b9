/* batch.c - see batch.h. */
#include "preload/heap/batch.h"

#define DIGIT_BITS 8u

/* By one digit; those that are equal in it stay in order. */
static void sort_by_digit(struct pl_batch *batch, unsigned shift)
{
    const uint32_t mask = (1u << DIGIT_BITS) - 1;
    uint32_t before[(1u << DIGIT_BITS) + 1] = {0};
    for (size_t i = 0; i < batch->n; i++)
        before[(batch->blocks[i] >> shift & mask) + 1]++;
    for (uint32_t d = 0; d < mask; d++)
        before[d + 1] += before[d];
    for (size_t i = 0; i < batch->n; i++)
        batch->at[before[batch->blocks[i] >> shift & mask]++] = batch->blocks[i];
    for (size_t i = 0; i < batch->n; i++)
        batch->blocks[i] = batch->at[i];
}

void pl_batch_sort(struct pl_batch *batch, size_t nblocks)
{
    for (unsigned shift = 0; batch->n > 1 && shift < 32 && nblocks >> shift != 0;
         shift += DIGIT_BITS)
        sort_by_digit(batch, shift);
}

size_t pl_batch_plan(struct pl_batch *batch, const struct pl_live_block *stock, size_t i,
                     size_t room, size_t *nparts, size_t *bytes)
{
    size_t n = 0, all = 0;
    uintptr_t end = 0;
    for (; i < batch->n; i++) {
        const struct pl_live_block *b = &stock[batch->blocks[i]];
        const size_t gap = b->start - end;
        const int joins = n > 0 && gap <= PL_BATCH_GAP;
        const size_t more = pl_batch_bytes(b) + (joins ? gap : 0);
        if (all + more > room || (!joins && n == PL_BATCH_PARTS))
            break;
        if (joins)
            batch->parts[n - 1].iov_len += more;
        else
            batch->parts[n++] = (struct iovec){(void *)b->start, more};
        all += more;
        batch->at[i] = (uint32_t)(all - pl_batch_bytes(b));
        end = b->start + pl_batch_bytes(b);
    }
    *nparts = n;
    *bytes = all;
    return i;
}
