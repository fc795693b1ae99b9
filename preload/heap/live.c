/* live.c - see live.h. */
#include "preload/heap/live.h"

#include "preload/core/sys.h"
#include "preload/heap/blocks.h"
#include "preload/heap/starts.h"
#include "preload/heap/view.h"

#define PIECE_BITS  16
#define LEAF_PIECES ((size_t)1 << (PL_LEAF_BITS - PIECE_BITS))
#define SIZE_MOST   (UINT64_C(1) << 46)

struct filling {
    struct pl_live *live;
    size_t room;
    size_t leaves; /* that have a block */
    uint64_t leaf; /* the last one seen, plus one */
};

static void count_one(uintptr_t block, int known, void *ctx)
{
    struct filling *f = ctx;
    (void)known;
    f->room++;
    if (f->leaf != (block >> PL_LEAF_BITS) + 1) {
        f->leaf = (block >> PL_LEAF_BITS) + 1;
        f->leaves++;
    }
}

static void fill_one(uintptr_t block, int known, void *ctx)
{
    struct filling *f = ctx;
    struct pl_live *live = f->live;
    if (live->n < f->room)
        live->blocks[live->n++] =
            (struct pl_live_block){.start = block, .known = (unsigned)known & 1};
}

static void *take(struct pl_live *live, unsigned i, size_t bytes)
{
    live->memory[i] = pl_sys_reserve(bytes);
    live->sizes[i] = bytes;
    return live->memory[i];
}

/* ---- sizes ---- */

/* Reads words that lie near each other, at rising addresses. */
struct window {
    uintptr_t lo;
    size_t bytes;
    uint8_t copy[16384] __attribute__((aligned(8)));
};

static uint64_t word_at(struct window *w, uintptr_t at)
{
    if (at < w->lo || at + 8 > w->lo + w->bytes) {
        w->lo = at;
        w->bytes = pl_sys_peek(at, w->copy, sizeof(w->copy));
        if (w->bytes < 8) {
            /* Some of these bytes are not mapped any more: those of this page may be. */
            w->bytes = pl_sys_peek(at, w->copy, 8);
        }
    }
    return w->bytes < 8 ? 0 : *(const uint64_t *)(const void *)(w->copy + (at - w->lo));
}

/* What the allocator says; at most up to the next block, as where it says nothing. */
static void sizes_find(struct pl_live *live, struct window *w)
{
    struct pl_block known;
    for (size_t i = 0; i < live->n; i++) {
        struct pl_live_block *b = &live->blocks[i];
        uint64_t most = i + 1 < live->n ? b[1].start - b->start : SIZE_MOST;
        uint64_t size = most;
        if (pl_starts.libc) {
            uint64_t head = word_at(w, b->start - PL_CHUNK_HEAD);
            b->mapped = (head & PL_CHUNK_MAPPED) != 0;
            b->arena = (head & PL_CHUNK_ARENA) != 0;
            size = pl_live_chunk_bytes(head);
            if (size == 0 || size > most)
                size = most;
        }
        if (b->known && pl_blocks_find(b->start, &known) && known.size < size)
            size = known.size;
        b->size = size & (SIZE_MOST - 1);
        live->bytes += b->size;
    }
}

/* ---- the way from an address ---- */

static void index_fill(struct pl_live *live, uint32_t *pieces)
{
    for (size_t i = 0; i < live->n;) {
        uint64_t leaf = live->blocks[i].start >> PL_LEAF_BITS;
        live->leaves[leaf] = pieces;
        for (size_t piece = 0; piece < LEAF_PIECES; piece++) {
            uint64_t from = leaf << PL_LEAF_BITS | (uint64_t)piece << PIECE_BITS;
            while (i < live->n && live->blocks[i].start < from)
                i++;
            pieces[piece] = (uint32_t)i;
        }
        uint64_t end = (leaf + 1) << PL_LEAF_BITS;
        while (i < live->n && live->blocks[i].start < end)
            i++;
        pieces[LEAF_PIECES] = (uint32_t)i;
        pieces += LEAF_PIECES + 1;
    }
}

int pl_live_open(struct pl_live *live)
{
    struct filling f = {.live = live};
    pl_starts_each(count_one, &f);
    if (f.room >= UINT32_MAX)
        return -12;
    live->blocks = take(live, 0, (f.room + 1) * sizeof(live->blocks[0]));
    live->leaves = take(live, 1, PL_LEAVES * sizeof(live->leaves[0]));
    /* A leaf that comes meanwhile has no room: its blocks are not part of the stock. */
    uint32_t *pieces = take(live, 2, (f.leaves + 1) * (LEAF_PIECES + 1) * sizeof(uint32_t));
    struct window *window = take(live, 3, sizeof(*window));
    if (live->blocks == NULL || live->leaves == NULL || pieces == NULL || window == NULL)
        return -12;
    pl_starts_each(fill_one, &f);
    sizes_find(live, window);
    index_fill(live, pieces);
    return 0;
}

void pl_live_close(struct pl_live *live)
{
    for (unsigned i = 0; i < PL_LIVE_PARTS; i++)
        if (live->memory[i] != NULL)
            pl_sys_munmap(live->memory[i], live->sizes[i]);
}

/* The first of [lo, hi) that begins above the address. */
static size_t above(const struct pl_live *live, size_t lo, size_t hi, uint64_t address)
{
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (live->blocks[mid].start <= address)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

struct pl_live_block *pl_live_find(const struct pl_live *live, uint64_t address)
{
    if (live->n == 0 || address < live->blocks[0].start || address >> 48 != 0)
        return NULL;
    const uint32_t *pieces = live->leaves[address >> PL_LEAF_BITS];
    size_t lo = 0, hi = live->n;
    if (pieces != NULL) {
        size_t piece = address >> PIECE_BITS & (LEAF_PIECES - 1);
        lo = pieces[piece];
        hi = pieces[piece + 1];
    }
    size_t i = above(live, lo, hi, address);
    if (i == 0)
        return NULL;
    struct pl_live_block *b = &live->blocks[i - 1];
    uint64_t into = address - b->start;
    if (into < b->size || into == 0)
        return b;
    /* C++ keeps the number of an array's members before them; of none, a pointer to their end. */
    return b->size == sizeof(uint64_t) && into == sizeof(uint64_t) ? b : NULL;
}

size_t pl_live_from(const struct pl_live *live, uint64_t address)
{
    return address == 0 ? 0 : above(live, 0, live->n, address - 1);
}
