/* sites.c - see sites.h. */
#include "preload/heap/sites.h"

#include <string.h>

#include "preload/core/arena.h"
#include "preload/core/clock.h"
#include "preload/core/options.h"
#include "preload/core/record.h"
#include "preload/core/site.h"
#include "preload/core/stack_table.h"
#include "preload/core/sys.h"
#include "preload/heap/heap.h"
#include "preload/heap/sample.h"

/* By stack: pieces are made when a stack of such a number allocates. */
#define PIECE 4096u
struct piece {
    struct el_heap_site *_Atomic sites[PIECE];
};
static struct piece *_Atomic by_stack[PL_STACKS_MAX / PIECE];

/* Lives of up to 10 us, 100 us, 1 ms, 10 ms, 100 ms, and longer ones; in ticks. */
#define LIFE_LIMITS      5
#define LIFE_SHORTEST_NS 10000
static uint64_t life_limits[LIFE_LIMITS];

int pl_heap_sites_init(void)
{
    /* The pieces went with the tables of the arena. */
    memset(by_stack, 0, sizeof(by_stack));
    uint64_t ns = LIFE_SHORTEST_NS;
    for (unsigned i = 0; i < LIFE_LIMITS; i++, ns *= 10)
        life_limits[i] = pl_ticks_of_ns(ns);
    return 0;
}

/* Where the site of a stack is; NULL without memory. Who loses the race to make a piece leaves its
 * memory unused. */
static struct el_heap_site *_Atomic *place_of(uint32_t stack)
{
    struct piece *_Atomic *at = &by_stack[stack / PIECE];
    struct piece *piece = atomic_load_explicit(at, memory_order_acquire);
    if (__builtin_expect(piece == NULL, 0)) {
        struct piece *fresh = pl_arena_table(sizeof(*fresh));
        if (fresh == NULL || atomic_compare_exchange_strong(at, &piece, fresh))
            piece = fresh;
    }
    return piece == NULL ? NULL : &piece->sites[stack % PIECE];
}

static struct el_heap_site *site_make(struct el_heap_site *_Atomic *place, uint32_t stack)
{
    struct el_heap_site *cell = el_alloc_heap_site(&pl_log);
    struct el_heap_site *other = NULL;
    if (cell == NULL)
        return NULL;
    cell->stack = stack;
    cell->size_min = UINT64_MAX;
    cell->first_at = pl_now();
    el_set_state(&cell->state, EL_LIVE);
    if (atomic_compare_exchange_strong(place, &other, cell))
        return cell;
    el_free_heap_site(&pl_log, cell);
    return other;
}

struct el_heap_site *pl_heap_site(uint32_t stack)
{
    if (stack == 0 || stack >= PL_STACKS_MAX)
        return NULL;
    struct el_heap_site *_Atomic *place = place_of(stack);
    if (place == NULL)
        return NULL;
    struct el_heap_site *cell = atomic_load_explicit(place, memory_order_acquire);
    return __builtin_expect(cell != NULL, 1) ? cell : site_make(place, stack);
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

/* A step that is no larger than this part of the block grows a buffer by something like a constant.
 * What grows by a share of its size takes more. */
#define STEP_PART 16

/* How the size goes on from the sample before. A buffer that is copied into a larger block has both
 * for a moment; blocks of one size, as of several that grow in turn, tell nothing. */
void pl_heap_site_step(struct el_heap_site *site, uint64_t size, uintptr_t address)
{
    const uint64_t before = __atomic_exchange_n(&site->last_size, size, __ATOMIC_RELAXED);
    const uint64_t last = __atomic_exchange_n(&site->last, address, __ATOMIC_RELAXED);
    if (before == 0 || size == before)
        return;
    if (size < before || size - before > before / STEP_PART) {
        el_count(&site->jumps, 1);
        return;
    }
    el_count(&site->rises, 1);
    if (last != 0)
        el_count(&site->beside, 1);
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
    uint64_t last = address;
    __atomic_compare_exchange_n(&site->last, &last, 0, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
    el_count(&site->freed_blocks, w.blocks);
    el_count(&site->freed_bytes, w.bytes);
    el_count(&site->life_bytes[life_bin(ticks)], w.bytes);
}

void pl_heap_sites_unleak(void)
{
    uint32_t last = pl_stack_table_last();
    for (uint32_t i = 1; i <= last && i < PL_STACKS_MAX; i++) {
        struct piece *piece = atomic_load_explicit(&by_stack[i / PIECE], memory_order_acquire);
        if (piece == NULL) {
            i |= PIECE - 1;
            continue;
        }
        struct el_heap_site *site =
            atomic_load_explicit(&piece->sites[i % PIECE], memory_order_acquire);
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
