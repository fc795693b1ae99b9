/* blocks.c - see blocks.h. */
#include "preload/heap/blocks.h"

#include "preload/core/arena.h"
#include "preload/core/map.h"
#include "preload/core/record.h"
#include "preload/core/sys.h"
#include "preload/heap/starts.h"

#define SAMPLES_BITS 12

/* Where each is known: 40 bits of size, 40 of the time in units of 2^10 ticks, 16 of the record
 * that it belongs to. */
struct entry {
    uint32_t stack;
    uint32_t at_low;
    uint64_t rest; /* size, then the time's upper 8 bits, then the record */
};
#define SIZE_BITS  40
#define AT_BITS    8
#define AT_UNIT    10
#define EPOCH_MASK UINT64_C(0xffff)

/* A sample. */
struct sample {
    struct pl_pool_link link;
    struct pl_block block;
};

static int all_known;
static struct pl_map samples;
static struct pl_pool records = {.bytes = sizeof(struct sample)};
static struct entry *_Atomic *leaves; /* PL_LEAVES of them, where all are known */

int pl_blocks_init(int all)
{
    all_known = all;
    atomic_store(&records.head, 0);
    if (!all)
        return pl_map_init(&samples, SAMPLES_BITS);
    if (leaves == NULL)
        leaves = pl_sys_reserve(PL_LEAVES * sizeof(leaves[0]));
    return leaves == NULL ? -1 : 0;
}

static size_t leaf_bytes(void)
{
    return (size_t)((UINT64_C(1) << PL_LEAF_BITS) >> pl_starts.shift) * sizeof(struct entry);
}

static struct entry *entry_of(uintptr_t address, int make)
{
    if (leaves == NULL)
        return NULL;
    _Atomic(struct entry *) *place = &leaves[address >> PL_LEAF_BITS & (PL_LEAVES - 1)];
    struct entry *leaf = atomic_load_explicit(place, memory_order_acquire);
    if (leaf == NULL && make) {
        struct entry *fresh = pl_sys_reserve(leaf_bytes());
        if (fresh != NULL && !atomic_compare_exchange_strong(place, &leaf, fresh))
            pl_sys_munmap(fresh, leaf_bytes());
        else
            leaf = fresh;
    }
    if (leaf == NULL)
        return NULL;
    return &leaf[(address & ((UINT64_C(1) << PL_LEAF_BITS) - 1)) >> pl_starts.shift];
}

static int entry_add(uintptr_t address, const struct pl_block *block)
{
    struct entry *e = entry_of(address, 1);
    if (e == NULL || block->size >> SIZE_BITS != 0)
        return -1;
    uint64_t at = block->at >> AT_UNIT;
    e->stack = block->stack;
    e->at_low = (uint32_t)at;
    e->rest = block->size | (at >> 32 & ((1 << AT_BITS) - 1)) << SIZE_BITS |
              (pl_epoch & EPOCH_MASK) << (SIZE_BITS + AT_BITS);
    return 0;
}

static int entry_read(uintptr_t address, struct pl_block *block)
{
    const struct entry *e = entry_of(address, 0);
    if (e == NULL || e->rest >> (SIZE_BITS + AT_BITS) != (pl_epoch & EPOCH_MASK))
        return 0;
    uint64_t high = e->rest >> SIZE_BITS & ((1 << AT_BITS) - 1);
    block->stack = e->stack;
    block->size = e->rest & ((UINT64_C(1) << SIZE_BITS) - 1);
    block->at = (high << 32 | e->at_low) << AT_UNIT;
    return 1;
}

static int sample_add(uintptr_t address, const struct pl_block *block)
{
    int fresh;
    struct sample *s = pl_pool_get(&records, &fresh);
    if (s == NULL)
        return -1;
    s->block = *block;
    if (pl_map_set(&samples, address, s) == 0)
        return 0;
    pl_pool_put(&records, s);
    return -1;
}

int pl_blocks_add(uintptr_t address, const struct pl_block *block)
{
    uint8_t *byte = pl_starts_byte(address);
    if (byte == NULL || (all_known ? entry_add : sample_add)(address, block) != 0)
        return -1;
    *byte = pl_starts_value(address) | PL_KNOWN;
    return 0;
}

/* The owner of a block frees it, so nobody else changes what is known of it. */
int pl_blocks_take(uintptr_t address, struct pl_block *block)
{
    uint8_t *byte = pl_starts_byte(address);
    if (byte == NULL || *byte != (pl_starts_value(address) | PL_KNOWN))
        return 0;
    *byte = 0;
    if (all_known)
        return entry_read(address, block);
    struct sample *s = pl_map_take(&samples, address, NULL);
    if (s == NULL)
        return 0;
    *block = s->block;
    pl_pool_put(&records, s);
    return 1;
}

int pl_blocks_find(uintptr_t address, struct pl_block *block)
{
    if (all_known)
        return entry_read(address, block);
    const struct sample *s = pl_map_find(&samples, address);
    if (s != NULL)
        *block = s->block;
    return s != NULL;
}

int pl_blocks_none(void)
{
    return !all_known && atomic_load(&samples.count) == 0;
}

void pl_blocks_each_leaf(void (*on)(uintptr_t lo, uintptr_t hi, void *ctx), void *ctx)
{
    for (uint64_t i = leaves == NULL ? PL_LEAVES : pl_starts_next(0); i < PL_LEAVES;
         i = pl_starts_next(i + 1)) {
        uintptr_t leaf = (uintptr_t)atomic_load(&leaves[i]);
        if (leaf != 0)
            on(leaf, leaf + leaf_bytes(), ctx);
    }
}
