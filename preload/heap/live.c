/* live.c - see live.h. */
#include "preload/heap/live.h"

#include "preload/core/sys.h"
#include "preload/heap/blocks.h"
#include "preload/heap/starts.h"
#include "preload/heap/view.h"

#define PIECE_BITS 12
#define SIZE_MOST  (UINT64_C(1) << 46)

/* Where a leaf has blocks: the pieces of memory from the first to the last one in which some begin.
 */
struct pl_live_leaf {
    uint32_t first, last;  /* pieces */
    uint32_t before, past; /* blocks that begin before the leaf, and up to its end */
    uint32_t at[];         /* blocks that begin before each piece; one more for the end */
};

/* A leaf in which no block begins: one from before may lie in it. Without such a mark none does. */
static struct pl_live_leaf lain_in;

struct filling {
    struct pl_live *live;
    size_t room;
};

static void count_one(uintptr_t block, int known, void *ctx)
{
    struct filling *f = ctx;
    (void)block;
    (void)known;
    f->room++;
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

/* The words before blocks, of many at a time. Those that lie near each other are read as one part.
 */
#define HEADS_MOST 512u
#define NEAR_BYTES 256u
struct heads {
    uint64_t words[HEADS_MOST];
    struct iovec parts[HEADS_MOST];
    uint32_t offsets[HEADS_MOST]; /* of a block's word in what was read */
    uint8_t copy[HEADS_MOST * NEAR_BYTES] __attribute__((aligned(8)));
};

static size_t part_add(struct heads *h, size_t nparts, uintptr_t at)
{
    struct iovec *last = nparts > 0 ? &h->parts[nparts - 1] : NULL;
    uintptr_t end = last != NULL ? (uintptr_t)last->iov_base + last->iov_len : 0;
    if (last != NULL && at - end <= NEAR_BYTES - PL_CHUNK_HEAD) {
        last->iov_len += at - end + PL_CHUNK_HEAD;
        return nparts;
    }
    h->parts[nparts] = (struct iovec){(void *)at, PL_CHUNK_HEAD};
    return nparts + 1;
}

/* Of blocks in order. What cannot be read is 0. */
static void heads_read(struct heads *h, const struct pl_live_block *blocks, size_t n)
{
    size_t nparts = 0, bytes = 0, before = 0;
    for (size_t i = 0; i < n; i++) {
        size_t had = nparts;
        nparts = part_add(h, nparts, blocks[i].start - PL_CHUNK_HEAD);
        before = nparts > had ? bytes : before;
        bytes = before + h->parts[nparts - 1].iov_len;
        h->offsets[i] = (uint32_t)(bytes - PL_CHUNK_HEAD);
    }
    size_t got = pl_sys_peek_parts(h->parts, nparts, h->copy, bytes);
    for (size_t i = 0; i < n; i++) {
        h->words[i] = 0;
        if (h->offsets[i] + PL_CHUNK_HEAD <= got)
            h->words[i] = *(const uint64_t *)(const void *)(h->copy + h->offsets[i]);
        else /* something was unmapped meanwhile: one by one */
            pl_sys_peek(blocks[i].start - PL_CHUNK_HEAD, &h->words[i], PL_CHUNK_HEAD);
    }
}

/* What the allocator says; at most up to the next block, as where it says nothing. */
static int sizes_find(struct pl_live *live, struct heads *h, int (*is_late)(void *ctx, size_t left),
                      void *ctx)
{
    struct pl_block known;
    for (size_t i = 0; i < live->n; i++) {
        struct pl_live_block *b = &live->blocks[i];
        uint64_t most = i + 1 < live->n ? b[1].start - b->start : SIZE_MOST;
        uint64_t size = most;
        if (pl_starts.libc) {
            size_t left = live->n - i;
            if (i % HEADS_MOST == 0 && is_late(ctx, left))
                return -62;
            if (i % HEADS_MOST == 0)
                heads_read(h, b, left < HEADS_MOST ? left : HEADS_MOST);
            uint64_t head = h->words[i % HEADS_MOST];
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
    return 0;
}

/* ---- the way from an address ---- */

static uint64_t end_of(const struct pl_live_block *block)
{
    return block->start + block->size + sizeof(uint64_t);
}

/* Where blocks reach into leaves in which none begins. */
static void leaves_lain_in(struct pl_live *live)
{
    for (size_t i = 0; i < live->n; i++) {
        uint64_t leaf = live->blocks[i].start >> PL_LEAF_BITS;
        uint64_t last = end_of(&live->blocks[i]) >> PL_LEAF_BITS;
        for (leaf++; leaf <= last && leaf < PL_LEAVES && live->leaves[leaf] == NULL; leaf++)
            live->leaves[leaf] = &lain_in;
    }
}

static uint32_t piece_of(uint64_t address)
{
    return (uint32_t)((address & ((UINT64_C(1) << PL_LEAF_BITS) - 1)) >> PIECE_BITS);
}

/* The blocks of the leaf of block i: up to which one. */
static size_t leaf_end(const struct pl_live *live, size_t i)
{
    const uint64_t leaf = live->blocks[i].start >> PL_LEAF_BITS;
    while (i < live->n && live->blocks[i].start >> PL_LEAF_BITS == leaf)
        i++;
    return i;
}

static size_t leaf_bytes(const struct pl_live *live, size_t i, size_t end)
{
    const size_t pieces =
        piece_of(live->blocks[end - 1].start) - piece_of(live->blocks[i].start) + 2;
    return (sizeof(struct pl_live_leaf) + pieces * sizeof(uint32_t) + 7) & ~(size_t)7;
}

static size_t index_bytes(const struct pl_live *live)
{
    size_t bytes = 0;
    for (size_t i = 0, end; i < live->n; i = end) {
        end = leaf_end(live, i);
        bytes += leaf_bytes(live, i, end);
    }
    return bytes + sizeof(struct pl_live_leaf);
}

static void leaf_fill(const struct pl_live *live, struct pl_live_leaf *leaf, size_t i, size_t end)
{
    leaf->first = piece_of(live->blocks[i].start);
    leaf->last = piece_of(live->blocks[end - 1].start);
    leaf->before = (uint32_t)i;
    leaf->past = (uint32_t)end;
    for (uint32_t piece = leaf->first; piece <= leaf->last; piece++) {
        while (piece_of(live->blocks[i].start) < piece)
            i++;
        leaf->at[piece - leaf->first] = (uint32_t)i;
    }
    leaf->at[leaf->last - leaf->first + 1] = (uint32_t)end;
}

static void index_fill(struct pl_live *live, char *memory)
{
    if (live->n > 0) {
        live->lo = live->blocks[0].start;
        live->span = end_of(&live->blocks[live->n - 1]) - live->lo;
    }
    for (size_t i = 0, end; i < live->n; i = end) {
        end = leaf_end(live, i);
        struct pl_live_leaf *leaf = (struct pl_live_leaf *)(void *)memory;
        leaf_fill(live, leaf, i, end);
        live->leaves[live->blocks[i].start >> PL_LEAF_BITS] = leaf;
        memory += leaf_bytes(live, i, end);
    }
    leaves_lain_in(live);
}

int pl_live_open(struct pl_live *live, int (*is_late)(void *ctx, size_t left), void *ctx)
{
    struct filling f = {.live = live};
    pl_starts_each(count_one, &f);
    if (f.room >= UINT32_MAX)
        return -12;
    live->n = f.room;
    if (is_late(ctx, f.room))
        return -62;
    live->n = 0;
    live->blocks = take(live, 0, (f.room + 1) * sizeof(live->blocks[0]));
    live->leaves = take(live, 1, PL_LEAVES * sizeof(live->leaves[0]));
    struct heads *heads = take(live, 2, sizeof(*heads));
    if (live->blocks == NULL || live->leaves == NULL || heads == NULL)
        return -12;
    /* Blocks that come meanwhile have no room: they are not part of the stock. */
    pl_starts_each(fill_one, &f);
    if (sizes_find(live, heads, is_late, ctx) != 0)
        return -62;
    char *index = take(live, 3, index_bytes(live));
    if (index == NULL)
        return -12;
    index_fill(live, index);
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

struct pl_live_block *pl_live_find_within(const struct pl_live *live, uint64_t address)
{
    const struct pl_live_leaf *leaf =
        address >> 48 == 0 ? live->leaves[address >> PL_LEAF_BITS] : NULL;
    size_t lo = 0, hi = live->n;
    if (leaf == NULL)
        return NULL;
    if (leaf != &lain_in) {
        const uint32_t piece = piece_of(address);
        if (piece < leaf->first) {
            lo = hi = leaf->before;
        } else if (piece > leaf->last) {
            lo = hi = leaf->past;
        } else {
            lo = leaf->at[piece - leaf->first];
            hi = leaf->at[piece - leaf->first + 1];
        }
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
