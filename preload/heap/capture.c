/* capture.c - see capture.h. */
#include "preload/heap/capture.h"

#include "preload/core/clock.h"
#include "preload/core/map.h"
#include "preload/core/real.h"
#include "preload/core/record.h"
#include "preload/core/site.h"
#include "preload/core/sys.h"
#include "preload/heap/live.h"
#include "preload/heap/starts.h"

#define BLOCK_LEAST   1024u /* smaller ones are what an argument may well be */
#define BLOCKS_MOST   4u    /* kept of one actor */
#define WORDS_MOST    32u   /* of an argument that are looked at for pointers */
#define SMALL_MOST    4u    /* small blocks that are looked into */
#define PRINT_WORDS   16u   /* of a block that are remembered */
#define PRINT_CHANGED 4u    /* of those: with so many changed, it is written to */
#define BORED_AFTER   64u   /* looked at in vain at one place: from then on one sample in so many */
#define BORED_EVERY   16u
#define KNOWN_AFTER   512u /* of a place that makes threads: so many are enough to look at each */
#define KNOWN_EVERY   8u
#define SIZE_MOST     (UINT64_C(1) << 40)
#define ALIVE_LEAST   4u /* fewer at once tell nothing of the place */

struct held_block {
    uintptr_t at;
    uint64_t size;
    uint64_t print[PRINT_WORDS];
};

/* What one actor holds. Whoever takes a block out of the table has its part of `users`; the actor
 * has one. Recycled. */
struct pl_capture {
    struct pl_pool_link link;
    struct el_capture *cell;
    const struct pl_site *site;
    _Atomic uint32_t users;
    _Atomic uint32_t changed, same; /* blocks, when they were compared */
    _Atomic uint64_t bytes;         /* held now */
    _Atomic uint64_t since;         /* of the wait that is counted now; 0: none */
    uint64_t counted;               /* bytes then */
    uint32_t nblocks;
    struct held_block blocks[BLOCKS_MOST];
};

static struct pl_pool records = {.bytes = sizeof(struct pl_capture)};
static struct pl_map blocks; /* by address: the pl_capture that holds the block, or &many */
static struct pl_capture many;

void pl_captures_reset(void)
{
    atomic_store(&records.head, 0);
    pl_map_init(&blocks, 10);
}

static void subtract(uint64_t *from, uint64_t n)
{
    __atomic_fetch_sub(from, n, __ATOMIC_RELAXED);
}

/* ---- blocks ---- */

static int begins_at(uintptr_t at)
{
    const uint8_t *byte = at >> 48 == 0 && at >= 4096 ? pl_starts_byte(at) : NULL;
    return byte != NULL &&
           (__atomic_load_n(byte, __ATOMIC_RELAXED) & ~PL_KNOWN) == pl_starts_value(at);
}

/* The block may be another thread's that frees it now: it is read by the kernel. */
static uint64_t size_at(uintptr_t at)
{
    if (!pl_starts.libc)
        return PL_HAVE(malloc_usable_size) ? PL_LOAD(malloc_usable_size)((void *)at) : 0;
    uint64_t head;
    return pl_sys_peek(at - sizeof head, &head, sizeof head) == sizeof head &&
                   pl_live_chunk_bytes(head) < SIZE_MOST
               ? pl_live_chunk_bytes(head)
               : 0;
}

/* Free has to come to us with it. Whoever frees it meanwhile has stored 0. */
static void mark(uintptr_t at)
{
    uint8_t value = pl_starts_value(at);
    __atomic_compare_exchange_n(pl_starts_byte(at), &value, (uint8_t)(value | PL_KNOWN), 0,
                                __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

/* Words from all over the block. 0 when it cannot be read. */
static int print_take(const struct held_block *b, uint64_t print[PRINT_WORDS])
{
    struct iovec there[PRINT_WORDS], here = {print, PRINT_WORDS * sizeof print[0]};
    for (uint32_t i = 0; i < PRINT_WORDS; i++)
        there[i] = (struct iovec){(void *)(b->at + (b->size / PRINT_WORDS & ~UINT64_C(7)) * i),
                                  sizeof print[0]};
    return pl_sys6(SYS_process_vm_readv, pl_sys_pid(), (long)&here, 1, (long)there, PRINT_WORDS,
                   0) == (long)here.iov_len;
}

static void compare(struct pl_capture *c, const struct held_block *b)
{
    uint64_t now[PRINT_WORDS];
    uint32_t changed = 0;
    if (!print_take(b, now))
        return;
    for (uint32_t i = 0; i < PRINT_WORDS; i++)
        changed += now[i] != b->print[i];
    atomic_fetch_add(changed >= PRINT_CHANGED ? &c->changed : &c->same, 1);
}

/* ---- waiting ---- */

static void wait_begins(struct pl_capture *c, uint64_t now)
{
    struct el_capture *cell = c->cell;
    if (atomic_load(&c->since) != 0)
        return; /* a signal handler's wait within the actor's own */
    c->counted = atomic_load(&c->bytes);
    if (c->counted == 0 || now == 0)
        return;
    el_count(&cell->wait_begins, now);
    uint64_t held = __atomic_add_fetch(&cell->held, c->counted, __ATOMIC_RELAXED);
    uint64_t waiting = __atomic_add_fetch(&cell->waiting, 1, __ATOMIC_RELAXED);
    uint64_t alive = __atomic_load_n(&cell->alive, __ATOMIC_RELAXED);
    uint64_t live = __atomic_load_n(&c->site->cell->live, __ATOMIC_RELAXED);
    atomic_store(&c->since, now);
    uint64_t all = alive >= ALIVE_LEAST ? held / alive * live : 0;
    if (all <= __atomic_load_n(&cell->peak_bytes, __ATOMIC_RELAXED))
        return;
    __atomic_store_n(&cell->peak_bytes, all, __ATOMIC_RELAXED);
    __atomic_store_n(&cell->peak_at, now, __ATOMIC_RELAXED);
    __atomic_store_n(&cell->peak_waiting, waiting, __ATOMIC_RELAXED);
    __atomic_store_n(&cell->peak_alive, alive, __ATOMIC_RELAXED);
    __atomic_store_n(&cell->peak_live, live, __ATOMIC_RELAXED);
}

static void wait_ends(struct pl_capture *c, uint64_t now)
{
    struct el_capture *cell = c->cell;
    uint64_t counted = c->counted, began = atomic_exchange(&c->since, 0);
    if (began == 0)
        return;
    subtract(&cell->wait_begins, began);
    subtract(&cell->held, counted);
    subtract(&cell->waiting, 1);
    el_count(&cell->wait_ticks, now > began ? now - began : 0);
}

void pl_capture_wait_begins(struct pl_actor *actor, uint64_t now)
{
    wait_begins(actor->capture, now);
}

void pl_capture_wait_ends(struct pl_actor *actor, uint64_t now)
{
    wait_ends(actor->capture, now);
}

/* ---- the end of blocks and of actors ---- */

static void verdict(struct pl_capture *c)
{
    uint32_t changed = atomic_exchange(&c->changed, 0), same = atomic_exchange(&c->same, 0);
    if (changed != 0)
        el_count(&c->cell->written, 1);
    else if (same != 0)
        el_count(&c->cell->kept, 1);
}

static void let_go(struct pl_capture *c)
{
    if (atomic_fetch_sub(&c->users, 1) != 1)
        return;
    verdict(c);
    pl_pool_put(&records, c);
}

/* It is not this actor's any more. */
static void lose(struct pl_capture *c, uint64_t size)
{
    if (atomic_fetch_sub(&c->bytes, size) == size)
        wait_ends(c, pl_now());
}

static const struct held_block *block_of(const struct pl_capture *c, uintptr_t at)
{
    for (uint32_t i = 0; i < c->nblocks; i++)
        if (c->blocks[i].at == at)
            return &c->blocks[i];
    return NULL;
}

void pl_capture_freed(uintptr_t at)
{
    if (atomic_load_explicit(&blocks.count, memory_order_relaxed) == 0)
        return;
    struct pl_capture *c = pl_map_take(&blocks, at, NULL);
    const struct held_block *b = c == NULL || c == &many ? NULL : block_of(c, at);
    if (b == NULL)
        return;
    compare(c, b);
    lose(c, b->size);
    let_go(c);
}

void pl_capture_over(struct pl_actor *actor)
{
    struct pl_capture *c = actor->capture;
    actor->captured = 0;
    actor->capture = NULL;
    if (actor->epoch != pl_epoch)
        return;
    wait_ends(c, pl_now());
    subtract(&c->cell->alive, 1);
    for (uint32_t i = 0; i < c->nblocks; i++) {
        if (pl_map_take(&blocks, c->blocks[i].at, c) == NULL)
            continue;
        compare(c, &c->blocks[i]);
        let_go(c);
    }
    let_go(c);
}

static void as_it_stands(struct pl_actor *actor, void *ctx)
{
    struct pl_capture *c = actor->capture;
    (void)ctx;
    if (!actor->captured || actor->id == 0 || actor->epoch != pl_epoch)
        return;
    wait_ends(c, pl_now());
    for (uint32_t i = 0; i < c->nblocks; i++)
        if (pl_map_find(&blocks, c->blocks[i].at) == c)
            compare(c, &c->blocks[i]);
    verdict(c);
}

void pl_captures_at_end(void)
{
    pl_actor_each(as_it_stands, NULL);
}

/* ---- what an argument holds ---- */

static void *give(void *ctx)
{
    return ctx;
}

/* Another was given the same block: from now on it is nobody's. */
static void share(struct pl_capture *c, uintptr_t at, struct pl_capture *first)
{
    el_count(&c->cell->shared, 1);
    if (first == &many || pl_map_take(&blocks, at, first) == NULL)
        return;
    const struct held_block *b = block_of(first, at);
    if (b != NULL)
        lose(first, b->size);
    let_go(first);
    pl_map_set(&blocks, at, &many);
}

/* 1: it is the actor's alone, as far as is known. */
static int hold(struct pl_capture *c, uintptr_t at, uint64_t size)
{
    if (c->nblocks == BLOCKS_MOST || block_of(c, at) != NULL)
        return 0;
    struct held_block *b = &c->blocks[c->nblocks];
    b->at = at;
    b->size = size;
    if (!print_take(b, b->print))
        return 0;
    c->nblocks++;
    atomic_fetch_add(&c->users, 1);
    atomic_fetch_add(&c->bytes, size);
    struct pl_capture *holder = pl_map_get(&blocks, at, give, c);
    if (holder == c) {
        mark(at);
        return 1;
    }
    c->nblocks--;
    atomic_fetch_sub(&c->users, 1);
    atomic_fetch_sub(&c->bytes, size);
    if (holder != NULL)
        share(c, at, holder);
    return 0;
}

/* The blocks that the first words point to; `further`: and those that small ones among these do. */
static int follow(struct pl_capture *c, uintptr_t at, uint64_t size, int further)
{
    uint64_t words[WORDS_MOST];
    uint64_t bytes = size < sizeof words ? size & ~UINT64_C(7) : sizeof words;
    uint64_t n = pl_sys_peek(at, words, bytes) / sizeof words[0];
    uint32_t small = 0;
    int nested = 0;
    for (uint64_t i = 0; i < n; i++) {
        uint64_t block = begins_at(words[i]) && words[i] != at ? size_at(words[i]) : 0;
        if (block >= BLOCK_LEAST)
            nested |= hold(c, words[i], block);
        else if (block != 0 && further && small++ < SMALL_MOST)
            nested |= follow(c, words[i], block, 0);
    }
    return nested;
}

static void look(struct pl_capture *c, uintptr_t arg, size_t copied)
{
    int is_block = begins_at(arg);
    uint64_t size = copied != 0 ? copied : is_block ? size_at(arg) : 0;
    if (is_block && size >= BLOCK_LEAST)
        el_count(&c->cell->copied, hold(c, arg, size) && copied != 0);
    /* The runtime's copy may be of what it wraps around the program's own argument. */
    if (size != 0)
        el_count(&c->cell->nested, (uint64_t)follow(c, arg, size, copied != 0));
    uint64_t bytes = atomic_load(&c->bytes);
    if (bytes != 0) {
        el_count(&c->cell->holders, 1);
        el_count(&c->cell->bytes, bytes);
    }
}

static struct el_capture *cell_of(struct pl_site *site, uint32_t every)
{
    struct el_capture *cell = atomic_load_explicit(&site->captures, memory_order_acquire);
    if (cell != NULL)
        return cell;
    struct el_capture *made = el_alloc_capture(&pl_log);
    if (made == NULL)
        return NULL;
    made->kind = site->cell->kind;
    made->stack = site->cell->stack;
    made->every = every;
    if (atomic_compare_exchange_strong(&site->captures, &cell, made)) {
        el_set_state(&made->state, EL_LIVE);
        return made;
    }
    el_free_capture(&pl_log, made);
    return cell;
}

/* The first ones of a place all had nothing, or much is known of it: not each one is looked at. */
static int is_passed_over(struct pl_site *site, const struct el_capture *cell)
{
    uint64_t looked = __atomic_load_n(&cell->looked, __ATOMIC_RELAXED);
    uint32_t every = 1;
    if (looked >= BORED_AFTER && __atomic_load_n(&cell->holders, __ATOMIC_RELAXED) == 0)
        every = BORED_EVERY;
    else if (looked >= KNOWN_AFTER && cell->every == 1)
        every = KNOWN_EVERY;
    return every > 1 && atomic_fetch_add(&site->passed, 1) % every != 0;
}

void pl_capture_look(struct pl_actor *actor, uintptr_t arg, size_t copied, uint32_t every)
{
    struct pl_site *site = actor->site;
    struct el_capture *cell = site == NULL || pl_starts.off ? NULL : cell_of(site, every);
    if (cell == NULL || is_passed_over(site, cell))
        return;
    int fresh;
    struct pl_capture *c = pl_pool_get(&records, &fresh);
    if (c == NULL)
        return;
    c->cell = cell;
    c->site = site;
    atomic_store(&c->users, 1);
    atomic_store(&c->bytes, 0);
    atomic_store(&c->since, 0);
    c->nblocks = 0;
    el_count(&cell->looked, 1);
    el_count(&cell->alive, 1);
    look(c, arg, copied);
    actor->capture = c;
    pl_actor_tells(actor);
    actor->captured = PL_CAPTURED | (atomic_load(&c->bytes) != 0 ? PL_CAPTURE_HOLDS : 0u);
}
