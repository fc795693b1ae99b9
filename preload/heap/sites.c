/* sites.c - see sites.h. */
#include "preload/heap/sites.h"

#include <string.h>

#include "preload/core/clock.h"
#include "preload/core/options.h"
#include "preload/core/record.h"
#include "preload/core/site.h"
#include "preload/core/stack_table.h"
#include "preload/core/sys.h"
#include "preload/heap/heap.h"
#include "preload/heap/sample.h"

/* By stack. Reserved once, its pages are had when a stack of that number allocates. */
static struct el_heap_site *_Atomic *by_stack;
#define TABLE_BYTES (PL_STACKS_MAX * sizeof(by_stack[0]))

/* Lives of up to 10 us, 100 us, 1 ms, 10 ms, 100 ms, and longer ones; in ticks. */
#define LIFE_LIMITS      5
#define LIFE_SHORTEST_NS 10000
static uint64_t life_limits[LIFE_LIMITS];

int pl_heap_sites_init(void)
{
    if (by_stack != NULL)
        pl_sys_munmap(by_stack, TABLE_BYTES);
    by_stack = pl_sys_reserve(TABLE_BYTES);
    uint64_t ns = LIFE_SHORTEST_NS;
    for (unsigned i = 0; i < LIFE_LIMITS; i++, ns *= 10)
        life_limits[i] = pl_ticks_of_ns(ns);
    return by_stack == NULL ? -1 : 0;
}

void pl_heap_sites_range(uintptr_t *lo, uintptr_t *hi)
{
    *lo = (uintptr_t)by_stack;
    *hi = by_stack == NULL ? 0 : *lo + TABLE_BYTES;
}

static struct el_heap_site *site_make(uint32_t stack)
{
    struct el_heap_site *cell = el_alloc_heap_site(&pl_log);
    struct el_heap_site *other = NULL;
    if (cell == NULL)
        return NULL;
    cell->stack = stack;
    cell->size_min = UINT64_MAX;
    cell->first_at = pl_now();
    el_set_state(&cell->state, EL_LIVE);
    if (atomic_compare_exchange_strong(&by_stack[stack], &other, cell))
        return cell;
    el_free_heap_site(&pl_log, cell);
    return other;
}

struct el_heap_site *pl_heap_site(uint32_t stack)
{
    if (by_stack == NULL || stack == 0 || stack >= PL_STACKS_MAX)
        return NULL;
    struct el_heap_site *cell = atomic_load_explicit(&by_stack[stack], memory_order_acquire);
    return __builtin_expect(cell != NULL, 1) ? cell : site_make(stack);
}

static struct pl_weight weight_of(uint64_t size, uintptr_t address)
{
    return pl_sample_weight(size, pl_options.heap == PL_HEAP_FULL ? 0 : pl_options.heap_period,
                            address);
}

static void lower(uint64_t *to, uint64_t value)
{
    uint64_t old = __atomic_load_n(to, __ATOMIC_RELAXED);
    while (old > value &&
           !__atomic_compare_exchange_n(to, &old, value, 1, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        ;
}

void pl_heap_site_born(struct el_heap_site *site, uint64_t size, uintptr_t address, uint64_t now)
{
    struct pl_weight w = weight_of(size, address);
    if (pl_options.heap != PL_HEAP_FULL) /* else they are the blocks */
        el_count(&site->samples, 1);
    el_count(&site->blocks, w.blocks);
    uint64_t bytes = __atomic_add_fetch(&site->bytes, w.bytes, __ATOMIC_RELAXED);
    uint64_t live = bytes - __atomic_load_n(&site->freed_bytes, __ATOMIC_RELAXED);
    if (live > __atomic_load_n(&site->peak_bytes, __ATOMIC_RELAXED)) {
        pl_raise(&site->peak_bytes, live);
        __atomic_store_n(&site->peak_at, now, __ATOMIC_RELAXED);
    }
    lower(&site->size_min, size);
    pl_raise(&site->size_max, size);
    __atomic_store_n(&site->last_at, now, __ATOMIC_RELAXED);
}

static unsigned life_bin(uint64_t ticks)
{
    unsigned bin = 0;
    while (bin < LIFE_LIMITS && ticks > life_limits[bin])
        bin++;
    return bin;
}

void pl_heap_site_died(struct el_heap_site *site, const struct pl_block *block, uintptr_t address,
                       uint64_t now)
{
    struct pl_weight w = weight_of(block->size, address);
    uint64_t ticks = now > block->at ? now - block->at : 0;
    el_count(&site->freed_blocks, w.blocks);
    el_count(&site->freed_bytes, w.bytes);
    el_count(&site->life_bytes[life_bin(ticks)], w.bytes);
}

void pl_heap_sites_unleak(void)
{
    uint32_t last = pl_stack_table_last();
    for (uint32_t i = 1; by_stack != NULL && i <= last && i < PL_STACKS_MAX; i++) {
        struct el_heap_site *site = atomic_load_explicit(&by_stack[i], memory_order_acquire);
        if (site == NULL || site->leaked_samples == 0)
            continue;
        memset(site->leaked_blocks, 0, sizeof(site->leaked_blocks));
        memset(site->leaked_bytes, 0, sizeof(site->leaked_bytes));
        site->leaked_samples = 0;
        site->leaked_first_at = site->leaked_last_at = 0;
    }
}

void pl_heap_site_leaked(struct el_heap_site *site, const struct pl_block *block, uintptr_t address,
                         enum pl_leak how)
{
    struct pl_weight w = weight_of(block->size, address);
    site->leaked_blocks[how] += w.blocks;
    site->leaked_bytes[how] += w.bytes;
    site->leaked_samples++;
    if (site->leaked_first_at == 0 || block->at < site->leaked_first_at)
        site->leaked_first_at = block->at;
    if (block->at > site->leaked_last_at)
        site->leaked_last_at = block->at;
}
