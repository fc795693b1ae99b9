/*
 * arena.c - see arena.h. Memory comes in chunks by raw mmap: the wrapped mmap is not entered, and
 * nothing here touches errno.
 */
#include "preload/core/arena.h"

#include <sys/mman.h>

#include "preload/core/sys.h"

#define CHUNK_BYTES ((size_t)1 << 20)
#define LINE_BYTES  ((size_t)64) /* records of whole cache lines begin at one */
/* Who has used so much for records uses a chunk to its end: its pages are had in one call. */
#define AHEAD_FROM (4 * CHUNK_BYTES)

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

struct chunk {
    struct chunk *before;
    size_t bytes;
    _Atomic size_t used;
    int tables; /* no records */
};

/* What is handed out of now: for records, and for tables. */
static _Atomic(struct chunk *) current[2];
static _Atomic size_t mapped, for_records;
static _Atomic(struct chunk *) latest; /* of all that were mapped */
static int closed;

static struct chunk *chunk_map(size_t bytes, int tables)
{
    struct chunk *chunk = pl_sys_mmap(bytes);
    if (chunk == NULL)
        return NULL;
    if (tables) /* little of them is touched: no huge pages */
        pl_sys_small_pages(chunk, bytes);
    if (!tables && atomic_fetch_add(&for_records, bytes) >= AHEAD_FROM && bytes == CHUNK_BYTES)
        pl_sys6(SYS_madvise, (long)chunk, (long)bytes, MADV_POPULATE_WRITE, 0, 0, 0);
    chunk->bytes = bytes;
    chunk->tables = tables;
    atomic_store(&chunk->used, (sizeof(*chunk) + 63) & ~(size_t)63);
    atomic_fetch_add(&mapped, bytes);
    chunk->before = atomic_load(&latest);
    while (!atomic_compare_exchange_weak(&latest, &chunk->before, chunk))
        ;
    return chunk;
}

void pl_arena_each(void (*on)(uintptr_t lo, uintptr_t hi, void *ctx), void *ctx)
{
    for (struct chunk *c = atomic_load(&latest); c != NULL; c = c->before)
        on((uintptr_t)c, (uintptr_t)c + c->bytes, ctx);
}

static void *chunk_take(struct chunk *chunk, size_t bytes)
{
    const size_t align = bytes % LINE_BYTES == 0 ? LINE_BYTES : 16;
    size_t at = atomic_load(&chunk->used), from;
    do {
        from = (at + align - 1) & ~(align - 1);
        if (from > chunk->bytes || bytes > chunk->bytes - from)
            return NULL;
    } while (!atomic_compare_exchange_weak(&chunk->used, &at, from + bytes));
    return (char *)chunk + from;
}

static void *piece_take(size_t bytes, int tables)
{
    if (closed)
        return NULL;
    bytes = (bytes + 15) & ~(size_t)15;
    if (bytes >= CHUNK_BYTES / 4) {
        struct chunk *own = chunk_map((bytes + 4096 + 4095) & ~(size_t)4095, tables);
        return own == NULL ? NULL : chunk_take(own, bytes);
    }
    for (;;) {
        struct chunk *chunk = atomic_load(&current[tables]);
        void *piece = chunk == NULL ? NULL : chunk_take(chunk, bytes);
        if (piece != NULL)
            return piece;
        struct chunk *next = chunk_map(CHUNK_BYTES, tables);
        if (next == NULL)
            return NULL;
        /* Whoever loses this race leaves its chunk unused until the next round takes it. */
        if (!atomic_compare_exchange_strong(&current[tables], &chunk, next)) {
            piece = chunk_take(next, bytes);
            return piece;
        }
    }
}

void *pl_arena_alloc(size_t bytes)
{
    return piece_take(bytes, 0);
}

void *pl_arena_alloc_touched(size_t bytes)
{
    volatile char *piece = pl_arena_alloc(bytes);
    if (piece == NULL)
        return NULL;
    for (size_t at = 0; at < bytes; at += 4096)
        piece[at] = 0;
    piece[bytes - 1] = 0;
    return (void *)piece;
}

void *pl_arena_table(size_t bytes)
{
    return piece_take(bytes, 1);
}

/*
 * Nobody points into tables, and what is larger than a share of a chunk is none but them. To
 * records there are pointers that will be looked at once more, on the stack or in a runtime's
 * tasks: they find zeros, which are of no epoch.
 */
static void chunk_forget(struct chunk *chunk)
{
    size_t kept = 0, bytes = chunk->bytes;
    if (!chunk->tables && bytes == CHUNK_BYTES) {
        size_t used = atomic_load(&chunk->used);
        kept = ((used < bytes ? used : bytes) + 4095) & ~(size_t)4095;
        pl_sys6(SYS_madvise, (long)chunk, (long)kept, MADV_DONTNEED, 0, 0, 0);
    }
    if (kept < bytes)
        pl_sys6(SYS_munmap, (long)chunk + (long)kept, (long)(bytes - kept), 0, 0, 0, 0);
}

void pl_arena_reset(int is_closed)
{
    closed = is_closed;
    struct chunk *chunk = atomic_exchange(&latest, NULL);
    while (chunk != NULL) {
        struct chunk *older = chunk->before;
        chunk_forget(chunk);
        chunk = older;
    }
    atomic_store(&current[0], NULL);
    atomic_store(&current[1], NULL);
    atomic_store(&mapped, 0);
    atomic_store(&for_records, 0);
}

size_t pl_arena_bytes(void)
{
    return atomic_load(&mapped);
}

#define POINTER_BITS 48
#define POINTER_MASK ((UINT64_C(1) << POINTER_BITS) - 1)

void *pl_pool_again(struct pl_pool *pool)
{
    uint64_t head = atomic_load(&pool->head);
    while ((head & POINTER_MASK) != 0) {
        struct pl_pool_link *record = (struct pl_pool_link *)(uintptr_t)(head & POINTER_MASK);
        uint64_t next = atomic_load(&record->next) & POINTER_MASK;
        uint64_t count = ((head >> POINTER_BITS) + 1) << POINTER_BITS;
        if (atomic_compare_exchange_weak(&pool->head, &head, next | count))
            return record;
    }
    return NULL;
}

void *pl_pool_get(struct pl_pool *pool, int *fresh)
{
    void *record = pl_pool_again(pool);
    *fresh = record == NULL;
    return record != NULL ? record : pl_arena_alloc(pool->bytes);
}

void pl_pool_put(struct pl_pool *pool, void *memory)
{
    struct pl_pool_link *record = memory;
    uint64_t head = atomic_load(&pool->head);
    uint64_t mine;
    do {
        atomic_store_explicit(&record->next, (uintptr_t)(head & POINTER_MASK),
                              memory_order_release);
        mine = (uint64_t)(uintptr_t)record | ((head >> POINTER_BITS) + 1) << POINTER_BITS;
    } while (!atomic_compare_exchange_weak(&pool->head, &head, mine));
}
