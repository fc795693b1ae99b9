/*
 * The records of tasks: in chunks that are never given back. So a pointer to a record stays
 * readable, whatever became of the task.
 *
 * A worker keeps free records in two chains, one in use and a full one in stock. Between it and the
 * pool that all share, chains are moved as they are: nobody walks them. In the first record of a
 * chain in the pool, `object` is the next chain and `since` the number of records.
 *
 * Records that another worker freed lie in its caches, and to walk such a chain is to wait for it
 * at each. So who frees one says in `object` which it freed WEFT_TASK_HOP records before, and who
 * takes one asks for that. It is a hint, as in queue.c: it may be of a chain that has gone
 * elsewhere since.
 */
#include <string.h>
#include <sys/mman.h>

#include "runtime/sched/inside.h"

#ifdef WEFT_ASAN
#include <sanitizer/lsan_interface.h>
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

enum { CHUNK_BYTES = 256 * 1024, PIECE = 512, ID_BLOCK = 64 };

struct chunk {
    struct chunk *next;
    size_t count;
    alignas(64) struct weft_task tasks[];
};

static struct {
    uint32_t lock; /* of all below */
    struct chunk *chunks;
    size_t used; /* of the newest chunk */
    struct weft_task *chains;
} pool;

static uint64_t next_id = 1;

/* Where there are many, the pages of the next PIECE records come at once, not a fault for each. */
static void populate(struct chunk *c, size_t from)
{
    size_t page = weft__stack_page(), to = from + PIECE * sizeof(struct weft_task);
    from -= from % page;
    to = to < CHUNK_BYTES ? to : CHUNK_BYTES;
    madvise((char *)c + from, to - from, MADV_POPULATE_WRITE);
}

static struct weft_task *fresh(void)
{
    const size_t count = (CHUNK_BYTES - sizeof(struct chunk)) / sizeof(struct weft_task);
    if (!pool.chunks || pool.used == count) {
        struct chunk *c =
            mmap(NULL, CHUNK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (c == MAP_FAILED)
            return NULL;
#ifdef WEFT_ASAN
        __lsan_register_root_region(c, CHUNK_BYTES);
#endif
        c->count = count;
        c->next = pool.chunks;
        __atomic_store_n(&pool.chunks, c, __ATOMIC_RELEASE); /* for weft__task_each */
        pool.used = 0;
    }
    if (pool.used % PIECE == 0 && pool.chunks->next)
        populate(pool.chunks, pool.used * sizeof(struct weft_task));
    return &pool.chunks->tasks[pool.used++];
}

static void put_chain(struct weft_task *first, uint32_t count)
{
    __atomic_store_n(&first->since, count, __ATOMIC_RELAXED);
    __atomic_store_n(&first->object, pool.chains, __ATOMIC_RELAXED);
    pool.chains = first;
}

static struct weft_task *take_chain(unsigned *count)
{
    struct weft_task *first = pool.chains;
    pool.chains = (struct weft_task *)(uintptr_t)first->object;
    *count = first->since;
    return first;
}

/* A chain of up to WEFT_TASK_CHAIN records; NULL: no memory. */
static struct weft_task *chain_from_pool(unsigned *count)
{
    struct weft_task *chain = NULL;
    weft__lock(&pool.lock);
    if (pool.chains) {
        chain = take_chain(count);
    } else {
        struct weft_task *t;
        for (*count = 0; *count < WEFT_TASK_CHAIN && (t = fresh()); ++*count) {
            t->next = chain;
            chain = t;
        }
    }
    weft__unlock(&pool.lock);
    return chain;
}

static struct weft_task *one_from_pool(void)
{
    struct weft_task *t;
    unsigned count;
    weft__lock(&pool.lock);
    if (pool.chains) {
        t = take_chain(&count);
        if (count > 1)
            put_chain(t->next, count - 1);
    } else {
        t = fresh();
    }
    weft__unlock(&pool.lock);
    return t;
}

static void to_pool(struct weft_task *first, uint32_t count)
{
    weft__lock(&pool.lock);
    put_chain(first, count);
    weft__unlock(&pool.lock);
}

static uint64_t new_id(struct weft__worker *w)
{
    if (!w)
        return __atomic_fetch_add(&next_id, 1, __ATOMIC_RELAXED);
    if (w->next_id == w->last_id) {
        w->next_id = __atomic_fetch_add(&next_id, ID_BLOCK, __ATOMIC_RELAXED);
        w->last_id = w->next_id + ID_BLOCK;
    }
    return w->next_id++;
}

/* A record, to be written. */
static inline void ask_for(const void *t)
{
    __builtin_prefetch(t, 1);
    __builtin_prefetch((const void *)((uintptr_t)t + 64), 1);
}

static struct weft_task *from_cache(struct weft__worker *w)
{
    if (w->free_task_count == 0) {
        if (w->full_chain) {
            w->free_tasks = w->full_chain;
            w->full_chain = NULL;
            w->free_task_count = WEFT_TASK_CHAIN;
        } else {
            w->free_tasks = chain_from_pool(&w->free_task_count);
        }
    }
    struct weft_task *t = w->free_tasks;
    if (t) {
        w->free_tasks = t->next;
        w->free_task_count--;
        ask_for(__atomic_load_n(&t->object, __ATOMIC_RELAXED));
    }
    return t;
}

struct weft_task *weft__task_new(struct weft__worker *w)
{
    struct weft_task *t = w ? from_cache(w) : one_from_pool();
    if (!t)
        return NULL;
    t->context.frame = NULL;
    t->stack = NULL;
    t->small = false;
    t->labels = NULL;
    __atomic_store_n(&t->name, NULL, __ATOMIC_RELAXED);
    __atomic_store_n(&t->object, NULL, __ATOMIC_RELAXED);
    t->loiter = (struct loiter_task){.id = new_id(w)};
    __atomic_store_n(&t->wait, WEFT__WAIT_NONE, __ATOMIC_RELAXED);
    t->capture_kind = WEFT__NO_CAPTURE;
    __atomic_store_n(&t->state, WEFT__LIVE, __ATOMIC_RELEASE);
    return t;
}

void weft__task_recycle(struct weft__worker *w, struct weft_task *t)
{
    __atomic_store_n(&t->state, WEFT__FREE, __ATOMIC_RELEASE);
    if (!w) {
        to_pool(t, 1);
        return;
    }
    if (w->free_task_count == WEFT_TASK_CHAIN) {
        if (w->full_chain)
            to_pool(w->full_chain, WEFT_TASK_CHAIN);
        w->full_chain = w->free_tasks;
        w->free_task_count = 0;
    }
    t->next = w->free_task_count ? w->free_tasks : NULL;
    struct weft_task **before = &w->freed[w->free_task_count % WEFT_TASK_HOP];
    __atomic_store_n(&t->object, *before, __ATOMIC_RELAXED);
    *before = t;
    w->free_tasks = t;
    w->free_task_count++;
}

void weft__task_drop_cache(struct weft__worker *w)
{
    if (w->free_task_count)
        to_pool(w->free_tasks, w->free_task_count);
    if (w->full_chain)
        to_pool(w->full_chain, WEFT_TASK_CHAIN);
    w->free_tasks = w->full_chain = NULL;
    w->free_task_count = 0;
}

/* Takes no lock: chunks stay, and a record that was never handed out is all zero. */
void weft__task_each(void (*fn)(struct weft_task *t, void *arg), void *arg)
{
    struct chunk *c = __atomic_load_n(&pool.chunks, __ATOMIC_ACQUIRE);
    for (; c; c = c->next) {
        for (size_t i = 0; i < c->count; i++) {
            if (__atomic_load_n(&c->tasks[i].state, __ATOMIC_ACQUIRE) == WEFT__LIVE)
                fn(&c->tasks[i], arg);
        }
    }
}
