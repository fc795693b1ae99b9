/* scan.c - see scan.h. */
#include "preload/heap/scan.h"

#include "preload/core/actor.h"
#include "preload/core/arena.h"
#include "preload/core/clock.h"
#include "preload/core/modules.h"
#include "preload/core/options.h"
#include "preload/core/real.h"
#include "preload/core/record.h"
#include "preload/core/sys.h"
#include "preload/heap/alloc_pool.h"
#include "preload/heap/batch.h"
#include "preload/heap/blocks.h"
#include "preload/heap/heap.h"
#include "preload/heap/live.h"
#include "preload/heap/sites.h"
#include "preload/heap/starts.h"
#include "preload/heap/view.h"

#define PIECE_BYTES ((size_t)64 << 10)
#define ARENA_BYTES                                                                                \
    (UINT64_C(64) << 20) /* the C library aligns the heaps of its arenas to this                   \
                          */
#define PAGE         UINT64_C(4096)
#define LARGE_REGION ((uintptr_t)1 << 20)
#define CLASSES      20 /* of sizes: from 8 KiB on each is twice as large as the one before */
#define CLASS_BITS   12 /* all of the first class are read as a whole */
#define NS_PER_MS    UINT64_C(1000000)

/* Samples are judged for the option's time, and for this share of the process's life; so are all
 * the marks together, in either mode. */
#define SAMPLED_SHARE 50

/* What a block costs at least: what cannot be done in the time that is left is not begun. */
#define BLOCK_NS 50

struct scan {
    struct pl_view view;
    struct pl_live live;
    uint64_t *piece;          /* memory as it was read */
    uint32_t *links;          /* lists of blocks that were reached and not yet read */
    uint32_t heads[CLASSES];  /* of the lists; indices plus one, 0 for none. In the first are
                               * blocks of which nothing was read, in the others those whose head
                               * was, by their size */
    uint32_t filled;          /* bits: lists that have a block */
    size_t left;              /* blocks that are to be judged and were not reached */
    uintptr_t lowest, extent; /* what points to a block lies so far from the lowest at most */
    struct pl_batch *batch;
    void *memory; /* of piece, links and batch */
    size_t memory_bytes;
    struct pl_range libc;      /* its data: the allocator's records are among it */
    uint64_t deadline;         /* by the clock; then the time that was really used is asked for */
    uint64_t cpu_until;        /* nanoseconds of this thread's */
    uint64_t roots;            /* bytes */
    const struct scan *before; /* the first of two looks, whose lists are full of addresses */
    const struct pl_live_block *head; /* is it part of a ring? */
    int head_reached;
    int late;
};

/* ---- marking ---- */

/* What a word that points to a block does to it. */
typedef void (*mark_fn)(struct scan *scan, struct pl_live_block *block);

static void list_add(struct scan *scan, const struct pl_live_block *block, uint32_t class)
{
    uint32_t index = (uint32_t)(block - scan->live.blocks);
    scan->links[index] = scan->heads[class];
    scan->heads[class] = index + 1;
    scan->filled |= 1u << class;
}

static void frontier_add(struct scan *scan, const struct pl_live_block *block)
{
    list_add(scan, block, 0);
}

/* Its head was read. */
static void frontier_add_rest(struct scan *scan, const struct pl_live_block *block)
{
    uint32_t class = 63 - (uint32_t)__builtin_clzll((uint64_t)block->size >> CLASS_BITS | 1);
    if (block->size > PL_BATCH_WHOLE)
        list_add(scan, block, class < CLASSES ? class : CLASSES - 1);
}

/* One of the first list that has any; there is one. */
static struct pl_live_block *frontier_take(struct scan *scan)
{
    uint32_t class = (uint32_t)__builtin_ctz(scan->filled), index = scan->heads[class] - 1;
    scan->heads[class] = scan->links[index];
    if (scan->heads[class] == 0)
        scan->filled &= ~(1u << class);
    return &scan->live.blocks[index];
}

static void push(struct scan *scan, struct pl_live_block *block, enum pl_reach reach)
{
    block->reach = reach & 3;
    frontier_add(scan, block);
}

static void mark_reached(struct scan *scan, struct pl_live_block *block)
{
    if (block->reach != PL_UNREACHED)
        return;
    scan->left -= block->known;
    push(scan, block, PL_REACHED);
}

static void mark_by_leak(struct scan *scan, struct pl_live_block *block)
{
    (void)scan;
    if (block->reach == PL_UNREACHED)
        block->reach = PL_REACHED_BY_LEAK;
}

static void mark_by_direct(struct scan *scan, struct pl_live_block *block)
{
    scan->head_reached |= block == scan->head;
    if (block->reach == PL_REACHED_BY_LEAK)
        push(scan, block, PL_REACHED_BY_DIRECT);
}

/* All that are to be judged are reached: what the rest points to does not matter. */
static int is_over(const struct scan *scan)
{
    return scan->late || scan->left == 0;
}

/* On a machine that others use, time passes in which nothing was done. */
static int is_late(struct scan *scan)
{
    uint64_t now = pl_now();
    if (scan->late || now <= scan->deadline)
        return scan->late;
    uint64_t used = pl_sys_cpu_ns();
    if (used < scan->cpu_until)
        scan->deadline = now + pl_ticks_of_ns(scan->cpu_until - used);
    else
        scan->late = 1;
    return scan->late;
}

static int has_no_time_for(void *ctx, size_t nblocks)
{
    struct scan *scan = ctx;
    uint64_t used = pl_sys_cpu_ns();
    scan->late |= used >= scan->cpu_until || nblocks > (scan->cpu_until - used) / BLOCK_NS;
    return scan->late;
}

/* The C library's allocator knows free memory by the word before it: the last of the block before,
 * and never its first. */
static int is_allocators(const struct scan *scan, uintptr_t at, uint64_t word,
                         const struct pl_live_block *block)
{
    return at >= scan->libc.lo && at < scan->libc.hi && word % 16 == 0 && word != block->start &&
           word - block->start + 8 >= block->size;
}

/* `words` as they were read at that address. `owner`: the block that the memory is part of; what it
 * says of itself does not count. */
static void words_mark(struct scan *scan, const uint64_t *words, size_t n, uintptr_t at,
                       mark_fn mark, const struct pl_live_block *owner)
{
    for (size_t i = 0; i < n; i++) {
        if (__builtin_expect(words[i] - scan->lowest > scan->extent, 1))
            continue;
        struct pl_live_block *b = pl_live_find(&scan->live, words[i]);
        if (b != NULL && b != owner && !is_allocators(scan, at + i * 8, words[i], b))
            mark(scan, b);
    }
}

static void words_read(struct scan *scan, uintptr_t lo, uintptr_t hi, mark_fn mark,
                       const struct pl_live_block *owner)
{
    lo = (lo + 7) & ~(uintptr_t)7;
    while (lo + 8 <= hi && !is_over(scan)) {
        size_t want = hi - lo < PIECE_BYTES ? hi - lo : PIECE_BYTES;
        size_t had = pl_sys_peek(lo, scan->piece, want);
        words_mark(scan, scan->piece, had / 8, lo, mark, owner);
        /* The rest of an unreadable page is left out. */
        lo += had == want ? had & ~(size_t)7 : (had & ~(size_t)7) + PAGE;
        if (had != want)
            lo &= ~(PAGE - 1);
        is_late(scan);
    }
}

/* From an offset on. */
static void block_read(struct scan *scan, const struct pl_live_block *block, size_t from,
                       mark_fn mark)
{
    for (uintptr_t at = block->start + from, end = block->start + block->size; at < end;) {
        struct pl_range part = pl_view_touched(at, end);
        words_read(scan, part.lo, part.hi, mark, block);
        at = part.hi;
        if (is_late(scan) || scan->left == 0)
            return;
    }
}

/* Blocks of the frontier of which nothing was read, down to one that holds no whole words. */
static void batch_take(struct scan *scan)
{
    struct pl_batch *batch = scan->batch;
    batch->n = 0;
    while ((scan->filled & 1) != 0 && batch->n < PL_BATCH_MOST) {
        const struct pl_live_block *b = &scan->live.blocks[scan->heads[0] - 1];
        if (b->start % 8 != 0)
            return;
        frontier_take(scan);
        batch->blocks[batch->n++] = (uint32_t)(b - scan->live.blocks);
    }
}

static void batch_read(struct scan *scan, mark_fn mark)
{
    struct pl_batch *batch = scan->batch;
    pl_batch_sort(batch, scan->live.n);
    for (size_t i = 0; i < batch->n && !is_late(scan);) {
        size_t nparts, bytes,
            end = pl_batch_plan(batch, scan->live.blocks, i, PIECE_BYTES, &nparts, &bytes);
        size_t got = pl_sys_peek_parts(batch->parts, nparts, scan->piece, bytes);
        for (; i < end; i++) {
            const struct pl_live_block *b = &scan->live.blocks[batch->blocks[i]];
            const size_t at = batch->at[i], n = pl_batch_bytes(b);
            if (at + n > got) {
                block_read(scan, b, 0, mark);
                continue;
            }
            words_mark(scan, scan->piece + at / 8, n / 8, b->start, mark, b);
            frontier_add_rest(scan, b);
        }
    }
}

/* Small ones and heads first, where lists have their links: the rest of large ones is data more
 * than pointers. */
static void frontier_read(struct scan *scan, mark_fn mark)
{
    while (scan->filled != 0 && !is_over(scan) && !is_late(scan)) {
        const size_t from = (scan->filled & 1) != 0 ? 0 : PL_BATCH_HEAD;
        batch_take(scan);
        if (scan->batch->n > 0)
            batch_read(scan, mark);
        else
            block_read(scan, frontier_take(scan), from, mark);
    }
}

/* ---- roots ---- */

static void root_read(struct scan *scan, uintptr_t lo, uintptr_t hi)
{
    for (uintptr_t at = lo; at < hi && !is_late(scan) && scan->left != 0;) {
        struct pl_range part = pl_view_touched(at, hi);
        scan->roots += part.hi - part.lo;
        words_read(scan, part.lo, part.hi, mark_reached, NULL);
        at = part.hi;
    }
}

/* A range without what the view skips. */
static void root_without_skipped(struct scan *scan, uintptr_t lo, uintptr_t hi)
{
    const struct pl_view *view = &scan->view;
    for (size_t i = 0; i < view->nskipped && lo < hi; i++) {
        struct pl_range s = view->skipped[i];
        if (s.hi <= lo)
            continue;
        if (s.lo >= hi)
            break;
        if (s.lo > lo)
            root_read(scan, lo, s.lo);
        lo = s.hi;
    }
    if (lo < hi)
        root_read(scan, lo, hi);
}

/* Of the C library's allocator: memory beside blocks that have a mapping of their own is the
 * program's, for the kernel joins neighbours; memory in the heap of an arena is not. */
static void root_between_blocks(struct scan *scan, uintptr_t lo, uintptr_t hi)
{
    const struct pl_live *live = &scan->live;
    for (size_t i = pl_live_from(live, lo); lo < hi; i++) {
        const struct pl_live_block *b = i < live->n ? &live->blocks[i] : NULL;
        uintptr_t until = b == NULL || b->start >= hi ? hi : b->start;
        uintptr_t from = until;
        if (until < hi)
            from = b->start + b->size;
        if (until < hi && b->arena) {
            uintptr_t heap = b->start & ~(ARENA_BYTES - 1);
            until = heap > lo ? heap : lo;
            from = heap + ARENA_BYTES;
            i = pl_live_from(live, from) - 1;
        }
        root_without_skipped(scan, lo, until);
        lo = from;
    }
}

static void region_read(struct scan *scan, const struct pl_region *r)
{
    if (!r->readable || (pl_starts.libc && r->brk))
        return;
    size_t first = pl_live_from(&scan->live, r->lo);
    int has_blocks = first < scan->live.n && scan->live.blocks[first].start < r->hi;
    if (!has_blocks)
        root_without_skipped(scan, r->lo, r->hi);
    else if (pl_starts.libc)
        root_between_blocks(scan, r->lo, r->hi);
}

/* Blocks from before the allocator was known: part of our data, but the program's. */
static void early_blocks_read(struct scan *scan)
{
    uintptr_t large = (uintptr_t)atomic_load(&pl_pool_large);
    root_read(scan, (uintptr_t)pl_pool_small, (uintptr_t)pl_pool_small + PL_POOL_SMALL);
    if (large != 0)
        root_read(scan, large, large + PL_POOL_LARGE);
}

/* ---- our own memory ---- */

static void skip_range(uintptr_t lo, uintptr_t hi, void *ctx)
{
    pl_view_skip(ctx, lo, hi);
}

static void skip_scan(struct pl_view *view, const struct scan *scan)
{
    pl_view_skip(view, (uintptr_t)scan->view.regions,
                 (uintptr_t)scan->view.regions + scan->view.bytes);
    pl_view_skip(view, (uintptr_t)scan->memory, (uintptr_t)scan->memory + scan->memory_bytes);
    for (unsigned i = 0; i < PL_LIVE_PARTS; i++)
        pl_view_skip(view, (uintptr_t)scan->live.memory[i],
                     (uintptr_t)scan->live.memory[i] + scan->live.sizes[i]);
}

static void skip_own(struct scan *scan)
{
    struct pl_view *view = &scan->view;
    uintptr_t lo, hi;
    pl_arena_each(skip_range, view);
    pl_starts_each_leaf(skip_range, view);
    pl_blocks_each_leaf(skip_range, view);
    pl_modules_own_range(&lo, &hi);
    pl_view_skip(view, lo, hi);
    skip_scan(view, scan);
    if (scan->before != NULL)
        skip_scan(view, scan->before);
    pl_view_settle(view);
}

/* ---- one look at everything ---- */

static int scan_open(struct scan *scan, uintptr_t sp)
{
    scan->view.sp = sp;
    pl_view_look_anew();
    if (pl_live_open(&scan->live, has_no_time_for, scan) != 0)
        return scan->late ? EL_SCAN_LATE : EL_SCAN_MEMORY;
    scan->memory_bytes =
        PIECE_BYTES + sizeof(*scan->batch) + (scan->live.n + 1) * sizeof(scan->links[0]);
    scan->memory = pl_sys_reserve(scan->memory_bytes);
    if (scan->memory == NULL)
        return EL_SCAN_MEMORY;
    scan->piece = scan->memory;
    scan->batch = (struct pl_batch *)((char *)scan->memory + PIECE_BYTES);
    scan->links = (uint32_t *)(scan->batch + 1);
    if (pl_view_open(&scan->view) != 0)
        return EL_SCAN_BLIND;
    skip_own(scan);
    if (pl_starts.libc)
        pl_modules_range((uintptr_t)PL_LOAD(malloc), &scan->libc.lo, &scan->libc.hi);
    return EL_SCAN_DONE;
}

static void scan_close(struct scan *scan)
{
    pl_view_close(&scan->view);
    pl_live_close(&scan->live);
    if (scan->memory != NULL)
        pl_sys_munmap(scan->memory, scan->memory_bytes);
}

static void judged_count(struct scan *scan)
{
    const struct pl_live *live = &scan->live;
    const struct pl_live_block *last = &live->blocks[live->n - 1];
    for (size_t i = 0; i < live->n; i++)
        scan->left += live->blocks[i].known;
    scan->lowest = live->blocks[0].start;
    scan->extent = last->start + last->size - scan->lowest;
}

/* Those of at least `least` and less than `most` bytes. */
static void regions_read(struct scan *scan, uintptr_t least, uintptr_t most)
{
    for (size_t i = 0; i < scan->view.nregions && !is_over(scan); i++) {
        const struct pl_region *r = &scan->view.regions[i];
        if (r->hi - r->lo >= least && r->hi - r->lo < most)
            region_read(scan, r);
    }
}

/* What most programs hang their blocks on comes first: data and stacks. Mostly all that is to be
 * judged is reached long before everything was read. */
static int scan_look(struct scan *scan, uintptr_t sp)
{
    int result = scan_open(scan, sp);
    if (result != EL_SCAN_DONE)
        return result;
    if (scan->live.n == 0)
        return EL_SCAN_DONE;
    judged_count(scan);
    early_blocks_read(scan);
    regions_read(scan, 0, LARGE_REGION);
    regions_read(scan, LARGE_REGION, UINTPTR_MAX);
    frontier_read(scan, mark_reached);
    return scan->late ? EL_SCAN_LATE : EL_SCAN_DONE;
}

static int is_lost(const struct pl_live_block *block)
{
    return block->reach != PL_REACHED;
}

static size_t lost_and_known(const struct scan *scan)
{
    size_t n = 0;
    for (size_t i = 0; i < scan->live.n; i++)
        n += is_lost(&scan->live.blocks[i]) && scan->live.blocks[i].known;
    return n;
}

/* Reached now, or before: what is lost was lost both times. Both are in order. */
static void reached_before(struct scan *scan, const struct scan *before)
{
    const struct pl_live *then = &before->live;
    for (size_t i = 0, j = 0; i < scan->live.n; i++) {
        struct pl_live_block *b = &scan->live.blocks[i];
        while (j < then->n && then->blocks[j].start < b->start)
            j++;
        if (b->reach == PL_UNREACHED && b->known &&
            (j == then->n || then->blocks[j].start != b->start || !is_lost(&then->blocks[j])))
            mark_reached(scan, b);
    }
    frontier_read(scan, mark_reached);
}

/* ---- what is lost ---- */

/* What can be reached from a lost block goes with it. */
static void lost_with(struct scan *scan, size_t head)
{
    scan->head = &scan->live.blocks[head];
    scan->head_reached = 0;
    frontier_add(scan, scan->head);
    frontier_read(scan, mark_by_direct);
}

/*
 * What a lost block points to is lost through it; what none points to is lost by itself, and takes
 * along what it reaches. The rest hangs on rings: of these, one block that reaches itself stands
 * for each. A ring that nothing lost reaches is found by the first of its blocks.
 */
static void lost_sort(struct scan *scan)
{
    struct pl_live *live = &scan->live;
    for (size_t i = 0; i < live->n && !scan->late; i++)
        if (is_lost(&live->blocks[i]))
            frontier_add(scan, &live->blocks[i]);
    frontier_read(scan, mark_by_leak);
    for (size_t i = 0; i < live->n && !scan->late; i++)
        if (live->blocks[i].reach == PL_UNREACHED)
            lost_with(scan, i);
    for (size_t i = 0; i < live->n && !scan->late; i++) {
        if (live->blocks[i].reach != PL_REACHED_BY_LEAK)
            continue;
        live->blocks[i].reach = PL_REACHED_BY_DIRECT;
        lost_with(scan, i);
        if (scan->head_reached)
            live->blocks[i].reach = PL_REACHED_BY_LEAK;
    }
}

static uint64_t lost_write(const struct scan *scan)
{
    static const enum pl_leak kinds[] = {[PL_UNREACHED] = PL_LEAK_DIRECT,
                                         [PL_REACHED_BY_LEAK] = PL_LEAK_CYCLE,
                                         [PL_REACHED_BY_DIRECT] = PL_LEAK_INDIRECT};
    struct pl_block block;
    uint64_t judged = 0;
    for (size_t i = 0; i < scan->live.n; i++) {
        const struct pl_live_block *b = &scan->live.blocks[i];
        judged += b->known;
        if (!b->known || !is_lost(b) || !pl_blocks_find(b->start, &block))
            continue;
        struct el_heap_site *site = pl_heap_site(block.stack);
        if (site != NULL)
            pl_heap_site_leaked(site, &block, b->start, kinds[b->reach]);
    }
    return judged;
}

/* At marks, in the record of that epoch; nanoseconds. */
static uint64_t spent;
static uint32_t spent_epoch;

/* In processor time. */
static uint64_t allowance(enum pl_scan_when when)
{
    uint64_t most = pl_options.heap_scan_ms * NS_PER_MS;
    if (when == PL_SCAN_AT_END && pl_options.heap == PL_HEAP_FULL)
        return most;
    uint64_t share =
        pl_options.heap_short_ms * NS_PER_MS + pl_ns_of_ticks(pl_now()) / SAMPLED_SHARE;
    if (spent_epoch != pl_epoch)
        spent = 0;
    spent_epoch = pl_epoch;
    if (when == PL_SCAN_AT_MARK)
        share = share > spent ? share - spent : 0;
    return share < most ? share : most;
}

static void scan_write(struct pl_self *self, const struct scan *scan, int result, uint64_t began,
                       uint64_t judged)
{
    struct el_heap_scan event = {.result = (uint32_t)result,
                                 .libc = pl_starts.libc,
                                 .blocks = scan->live.n,
                                 .bytes = scan->live.bytes,
                                 .judged = judged,
                                 .roots = scan->roots,
                                 .took_ns = pl_ns_of_ticks(pl_now() - began)};
    PL_WRITE(self, heap_scan, &event);
}

static void scan_run(struct pl_self *self, uintptr_t sp, enum pl_scan_when when)
{
    uint64_t began = pl_now(), cpu_began = pl_sys_cpu_ns(), judged = 0;
    uint64_t cpu_until = cpu_began + allowance(when);
    struct scan first = {.deadline = began, .cpu_until = cpu_until};
    struct scan second = {.deadline = began, .cpu_until = cpu_until, .before = &first};
    struct scan *last = &first;
    int result = scan_look(&first, sp);
    if (result == EL_SCAN_DONE && first.view.threads > 1 && lost_and_known(&first) > 0) {
        last = &second;
        result = scan_look(&second, sp);
        reached_before(&second, &first);
    }
    if (result == EL_SCAN_DONE && lost_and_known(last) > 0)
        lost_sort(last);
    if (last->late)
        result = EL_SCAN_LATE;
    if (result == EL_SCAN_DONE) {
        pl_heap_sites_unleak();
        judged = lost_write(last);
    }
    if (result == EL_SCAN_DONE || when == PL_SCAN_AT_END)
        scan_write(self, last, result, began, judged);
    scan_close(&first);
    scan_close(&second);
    if (when == PL_SCAN_AT_MARK)
        spent += pl_sys_cpu_ns() - cpu_began;
}

/* One search at a time: whoever finds another under way leaves it to that one. */
static _Atomic uint32_t searching; /* pl_epoch of the record in which one is under way */

void pl_heap_scan(struct pl_self *self, uintptr_t sp, enum pl_scan_when when)
{
    if (pl_starts.off || pl_options.heap_scan_ms == 0 || pl_blocks_none())
        return;
    if (atomic_exchange(&searching, pl_epoch) == pl_epoch)
        return;
    scan_run(self, sp, when);
    atomic_store(&searching, 0);
}
