/*
 * cells.c - records of fixed size that are updated in place.
 *
 * Design notes. The cells of one type lie in chunks, each a packet: of a file of its own, but for
 * the first chunks of common types, which have one together. A new cell comes
 * from a chunk's counter of cells handed out; the packet's content grows to cover it. A cell that
 * was freed goes to one of several free lists: which one, for alloc as for free, depends on the
 * thread, so that threads seldom meet; a thread whose list is empty takes from the others.
 *
 * A free list is a stack of cell references (chunk << 24 | cell, plus one; 0 is none). Its links
 * lie apart from the cells. The head carries a count of changes in its upper half: a pop that read
 * the link of a cell which was taken and given back meanwhile fails in its compare and tries again.
 *
 * No thread waits for another. Threads that find every chunk full at once make a chunk each.
 */
#include "eventlog/sys.h"
#include "eventlog/writer_impl.h"

#define AHEAD_BYTES (UINT64_C(256) << 10) /* pages of a chunk that are made at once */
#define CELLS_LEAST 16u
/* A chunk that several threads make at once must not eat the log's budget. */
#define CELLS_MOST 32768u

#define CELL_BITS 24u
#define REF_MASK  UINT64_C(0xffffffff)
#define CHANGE    (UINT64_C(1) << 32)

static uint32_t ref_of(uint32_t chunk, uint32_t cell)
{
    return (chunk << CELL_BITS | cell) + 1;
}

/* Bytes from a cell to the next: the header word and the fields. */
static size_t stride_of(size_t bytes)
{
    return sizeof(uint64_t) + EL_ROUND8(bytes);
}

static void *cell_at(const struct el_chunk *chunk, uint32_t cell, size_t bytes)
{
    return (char *)(chunk->packet + 1) + cell * stride_of(bytes) + sizeof(uint64_t);
}

/* Which free list serves the running thread. */
static uint32_t stripe_of_thread(void)
{
    uintptr_t self;
#if defined(__x86_64__)
    __asm__ volatile("movq %%fs:0, %0" : "=r"(self));
#else
    self = (uintptr_t)__builtin_thread_pointer();
#endif
    return (uint32_t)((uint64_t)(self >> 6) * UINT64_C(0x9E3779B97F4A7C15) >> 60) % EL_STRIPES;
}

/* All cells of a type. */
struct cells {
    struct el_log *log;
    struct el_pool *pool;
    enum el_id id;
    size_t bytes; /* of a cell */
};

static struct cells cells_of(struct el_log *log, enum el_id id, size_t bytes)
{
    return (struct cells){log, &log->pools[id - 64], id, bytes};
}

static struct el_chunk *chunk_of(const struct cells *c, uint32_t number)
{
    return &c->log->chunks[number][c->id - 64];
}

static uint64_t *free_of(const struct cells *c, uint32_t stripe)
{
    return &c->log->free[c->id - 64][stripe].head;
}

static void *pop(const struct cells *c, uint32_t stripe)
{
    struct el_pool *pool = c->pool;
    uint64_t *at = free_of(c, stripe);
    uint64_t head = __atomic_load_n(at, __ATOMIC_ACQUIRE);
    while ((head & REF_MASK) != 0) {
        uint32_t ref = (uint32_t)(head & REF_MASK) - 1;
        struct el_chunk *chunk = chunk_of(c, ref >> CELL_BITS);
        uint32_t cell = ref & ((1u << CELL_BITS) - 1);
        uint32_t link = __atomic_load_n(&chunk->links[cell], __ATOMIC_RELAXED);
        uint64_t next = ((head & ~REF_MASK) + CHANGE) | link;
        if (__atomic_compare_exchange_n(at, &head, next, true, __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE))
            return cell_at(chunk, cell, c->bytes);
    }
    /* A cell that comes in just now is hidden until the next one comes, or until growing looks
     * everywhere. */
    if ((__atomic_load_n(&pool->filled, __ATOMIC_RELAXED) & 1u << stripe) != 0)
        __atomic_fetch_and(&pool->filled, ~(1u << stripe), __ATOMIC_RELAXED);
    return NULL;
}

static void push(const struct cells *c, uint32_t chunk, uint32_t cell)
{
    struct el_pool *pool = c->pool;
    uint32_t stripe = stripe_of_thread();
    uint64_t *at = free_of(c, stripe);
    uint32_t *link = &chunk_of(c, chunk)->links[cell];
    uint64_t head = __atomic_load_n(at, __ATOMIC_RELAXED);
    uint64_t next;
    do {
        __atomic_store_n(link, (uint32_t)(head & REF_MASK), __ATOMIC_RELAXED);
        next = ((head & ~REF_MASK) + CHANGE) | ref_of(chunk, cell);
    } while (
        !__atomic_compare_exchange_n(at, &head, next, true, __ATOMIC_RELEASE, __ATOMIC_RELAXED));
    if ((__atomic_load_n(&pool->filled, __ATOMIC_RELAXED) & 1u << stripe) == 0)
        __atomic_fetch_or(&pool->filled, 1u << stripe, __ATOMIC_RELAXED);
}

/* A freed cell; first from the thread's own list, then from those that `stripes` names. */
static void *pop_any(const struct cells *c, uint32_t stripes)
{
    const uint32_t own = stripe_of_thread();
    for (uint32_t i = 0; i < EL_STRIPES && stripes != 0; i++) {
        uint32_t stripe = (own + i) % EL_STRIPES;
        if ((stripes & 1u << stripe) == 0)
            continue;
        void *cell = pop(c, stripe);
        if (cell != NULL)
            return cell;
    }
    return NULL;
}

/* Makes the packet's content reach over that cell. Cells before it that another thread took but did
 * not cover yet get their header words from us: the words are the same whoever writes them. */
static void cover(struct el_chunk *chunk, enum el_id id, uint32_t cell, size_t bytes)
{
    const size_t stride = stride_of(bytes);
    const uint64_t end = (sizeof(struct el_packet) + (cell + 1) * stride) * 8;
    uint64_t bits = __atomic_load_n(&chunk->packet->content_bits, __ATOMIC_ACQUIRE);
    while (bits < end) {
        uint64_t at = bits / 8;
        for (; at < end / 8; at += stride) {
            __atomic_store_n((uint64_t *)((char *)chunk->packet + at), EL_WORD((uint64_t)id, 0),
                             __ATOMIC_RELAXED);
        }
        if (__atomic_compare_exchange_n(&chunk->packet->content_bits, &bits, end, false,
                                        __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
            break;
    }
}

/* The first cell beyond a step of AHEAD_BYTES has the pages of the next one made. What is handed
 * out in such number is handed out one after the other. */
static void populate_ahead(const struct el_chunk *chunk, uint64_t at, size_t stride)
{
    if (at / AHEAD_BYTES == (at - stride) / AHEAD_BYTES)
        return;
    uint64_t from = at / AHEAD_BYTES * AHEAD_BYTES;
    uint64_t left = chunk->bytes - from;
    el_sys_populate((char *)chunk->packet + from, left < AHEAD_BYTES ? left : AHEAD_BYTES);
}

/* A cell that was never used, from that chunk; NULL when it has no more. */
static void *hand_out(struct el_chunk *chunk, enum el_id id, size_t bytes)
{
    if (__atomic_load_n(&chunk->packet, __ATOMIC_ACQUIRE) == NULL ||
        __atomic_load_n(&chunk->handed, __ATOMIC_RELAXED) >= chunk->cells)
        return NULL;
    uint32_t cell = __atomic_fetch_add(&chunk->handed, 1, __ATOMIC_RELAXED);
    if (cell >= chunk->cells)
        return NULL;
    if (cell != 0)
        populate_ahead(chunk, sizeof(struct el_packet) + cell * stride_of(bytes), stride_of(bytes));
    cover(chunk, id, cell, bytes);
    return cell_at(chunk, cell, bytes);
}

/* How many cells a next chunk shall have: as many as there are, within limits and budget. Takes the
 * bytes from the budget; 0 when it has none. */
static uint32_t plan_chunk(struct el_log *log, struct el_pool *pool, size_t stride, uint64_t *bytes)
{
    uint64_t cells = __atomic_load_n(&pool->total, __ATOMIC_RELAXED);
    cells = cells < CELLS_LEAST ? CELLS_LEAST : cells > CELLS_MOST ? CELLS_MOST : cells;
    for (; cells >= CELLS_LEAST; cells /= 2) {
        uint64_t need = sizeof(struct el_packet) + cells * stride;
        *bytes = (need + log->page - 1) / log->page * log->page;
        if (el_budget_take(log, *bytes))
            return (uint32_t)((*bytes - sizeof(struct el_packet)) / stride);
    }
    return 0;
}

/* Makes one more chunk and takes a cell from it; NULL and *error (0: no budget). */
static void *grow(const struct cells *c, int *error)
{
    struct el_log *log = c->log;
    struct el_pool *pool = c->pool;
    uint64_t bytes;
    uint32_t number = __atomic_load_n(&pool->claimed, __ATOMIC_RELAXED);
    *error = 0;
    uint32_t cells = plan_chunk(log, pool, stride_of(c->bytes), &bytes);
    if (cells == 0)
        return NULL;
    do {
        *error = -ENOMEM;
        if (number >= EL_CHUNKS_MOST)
            goto no_chunk;
    } while (!__atomic_compare_exchange_n(&pool->claimed, &number, number + 1, true,
                                          __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    struct el_chunk *chunk = chunk_of(c, number);
    uint32_t *links = el_sys_map(-1, 0, cells * sizeof(uint32_t), 0, error);
    if (links == NULL)
        goto no_links;
    struct el_packet *packet = el_files_chunk(log, &(uint32_t){c->id}, 1, number, bytes, error);
    if (packet == NULL)
        goto no_packet;
    *error = 0;
    chunk->links = links;
    chunk->cells = cells;
    chunk->bytes = bytes;
    chunk->handed = 1; /* ours */
    __atomic_store_n(&chunk->packet, packet, __ATOMIC_RELEASE);
    __atomic_fetch_add(&pool->total, cells, __ATOMIC_RELAXED);
    __atomic_store_n(&pool->current, number, __ATOMIC_RELAXED);
    cover(chunk, c->id, 0, c->bytes);
    return cell_at(chunk, 0, c->bytes);

no_packet:
    el_sys_unmap(links, cells * sizeof(uint32_t));
no_links:
    /* The number is free again, unless somebody claimed the next one meanwhile. */
    number++;
    __atomic_compare_exchange_n(&pool->claimed, &number, number - 1, false, __ATOMIC_RELAXED,
                                __ATOMIC_RELAXED);
no_chunk:
    el_budget_return(log, bytes);
    return NULL;
}

/* A cell when the usual places have none. */
static void *alloc_slowly(const struct cells *c)
{
    struct el_log *log = c->log;
    int error = 0;
    void *cell = pop_any(c, (1u << EL_STRIPES) - 1);
    if (cell != NULL)
        return memset(cell, 0, c->bytes);
    const uint32_t claimed = __atomic_load_n(&c->pool->claimed, __ATOMIC_RELAXED);
    for (uint32_t i = 0; i < claimed && i < EL_CHUNKS_MOST && cell == NULL; i++)
        cell = hand_out(chunk_of(c, i), c->id, c->bytes);
    if (cell == NULL && !el_is_stopped(log)) {
        cell = grow(c, &error);
        if (cell == NULL)
            el_stop(log, error == 0 ? EL_STOP_LOG_SIZE : el_stop_reason_of(error), error);
    }
    if (cell == NULL)
        el_count(&log->summary->lost_cells, 1);
    return cell;
}

void *el_cell_alloc(struct el_log *log, enum el_id id, size_t bytes)
{
    const struct cells c = cells_of(log, id, bytes);
    uint32_t filled = __atomic_load_n(&c.pool->filled, __ATOMIC_RELAXED);
    void *cell = NULL;
    if (log->slots == NULL) {
        el_count(&log->summary->lost_cells, 1);
        return NULL;
    }
    if (filled != 0)
        cell = pop_any(&c, filled);
    if (cell != NULL)
        return memset(cell, 0, bytes);
    /* The file's bytes are zero until a cell is used: nothing to clear. */
    cell = hand_out(chunk_of(&c, __atomic_load_n(&c.pool->current, __ATOMIC_RELAXED)), id, bytes);
    return cell != NULL ? cell : alloc_slowly(&c);
}

void el_cell_free(struct el_log *log, enum el_id id, size_t bytes, void *cell)
{
    const struct cells c = cells_of(log, id, bytes);
    const size_t stride = stride_of(bytes);
    if (cell == NULL)
        return;
    /* `state` is the first field of every cell. */
    el_set_state(cell, EL_FREE);
    for (uint32_t i = __atomic_load_n(&c.pool->claimed, __ATOMIC_RELAXED); i-- > 0;) {
        struct el_chunk *chunk = chunk_of(&c, i);
        struct el_packet *packet = __atomic_load_n(&chunk->packet, __ATOMIC_ACQUIRE);
        uint64_t offset = (uint64_t)((uintptr_t)cell - (uintptr_t)packet);
        if (packet != NULL && offset < chunk->bytes) {
            push(&c, i, (uint32_t)((offset - sizeof(struct el_packet)) / stride));
            return;
        }
    }
}

/* Whose first chunks are one file, made when the record begins: most processes have cells of all
 * these, and to make a file takes longer than to write such a chunk. */
#define FIRST(name)                                                                                \
    {                                                                                              \
        EL_ID_##name, stride_of(sizeof(struct el_##name))                                          \
    }
#define FIRSTS 12u
/* And where it is no more than this part of the log's bound. */
#define FIRSTS_SHARE 16u

struct first {
    uint32_t id;
    size_t stride;
};

static uint32_t cells_in(size_t bytes, size_t stride)
{
    return (uint32_t)((bytes - sizeof(struct el_packet)) / stride);
}

/* Makes a chunk for each of `n` types, one page each. */
static int make_first(struct el_log *log, const struct first *firsts, uint32_t n)
{
    uint32_t ids[FIRSTS], cells = 0;
    int error;
    for (uint32_t i = 0; i < n; i++) {
        ids[i] = firsts[i].id;
        cells += cells_in(log->page, firsts[i].stride);
    }
    if (!el_budget_take(log, (uint64_t)n * log->page))
        return -ENOSPC;
    uint32_t *links = el_sys_map(-1, 0, cells * sizeof(uint32_t), 0, &error);
    struct el_packet *packet =
        links == NULL ? NULL : el_files_chunk(log, ids, n, 0, log->page, &error);
    if (packet == NULL) {
        if (links != NULL)
            el_sys_unmap(links, cells * sizeof(uint32_t));
        el_budget_return(log, (uint64_t)n * log->page);
        return error;
    }
    log->first = packet;
    log->first_bytes = n * log->page;
    log->first_links = links;
    log->first_cells = cells;
    for (uint32_t i = 0; i < n; i++) {
        struct el_pool *pool = &log->pools[ids[i] - 64];
        const uint32_t own = cells_in(log->page, firsts[i].stride);
        log->chunks[0][ids[i] - 64] = (struct el_chunk){
            .packet = packet,
            .links = links,
            .cells = own,
            .bytes = log->page,
        };
        pool->claimed = 1;
        pool->total = own;
        links += own;
        packet = (struct el_packet *)((char *)packet + log->page);
    }
    return 0;
}

struct el_summary *el_cells_first(struct el_log *log, int *error)
{
    const struct first firsts[FIRSTS] = {
        FIRST(summary), FIRST(actor),   FIRST(heap_site),  FIRST(held),
        FIRST(inside),  FIRST(object),  FIRST(outcome),    FIRST(site),
        FIRST(spread),  FIRST(capture), FIRST(descriptor), FIRST(spin),
    };
    const bool all = (uint64_t)FIRSTS * log->page <= log->max_bytes / FIRSTS_SHARE;
    *error = make_first(log, firsts, all ? FIRSTS : 1);
    if (*error != 0)
        return NULL;
    return hand_out(&log->chunks[0][EL_ID_summary - 64], EL_ID_summary, sizeof(struct el_summary));
}

/* No more than was used: each page of it is copied for a forked child. */
static void forget(struct el_log *log, uint32_t type)
{
    const uint32_t claimed = log->pools[type].claimed;
    for (uint32_t i = 0; i < claimed && i < EL_CHUNKS_MOST; i++) {
        struct el_chunk *chunk = &log->chunks[i][type];
        if ((uintptr_t)chunk->packet - (uintptr_t)log->first >= log->first_bytes) {
            if (chunk->packet != NULL)
                el_sys_unmap(chunk->packet, chunk->bytes);
            if (chunk->links != NULL)
                el_sys_unmap(chunk->links, chunk->cells * sizeof(uint32_t));
        }
        *chunk = (struct el_chunk){0};
    }
    for (uint32_t i = 0; claimed > 0 && i < EL_STRIPES; i++) {
        if (log->free[type][i].head != 0)
            log->free[type][i].head = 0;
    }
}

void el_cells_forget(struct el_log *log)
{
    for (uint32_t type = 0; type < EL_CELL_IDS; type++)
        forget(log, type);
    memset(log->pools, 0, sizeof(log->pools));
    if (log->first != NULL) {
        el_sys_unmap(log->first, log->first_bytes);
        el_sys_unmap(log->first_links, log->first_cells * sizeof(uint32_t));
    }
}
