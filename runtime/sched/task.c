/*
 * The records of tasks: in chunks that are never given back, cached by each worker, spare ones in a
 * list that all share. So a pointer to a record stays readable, whatever became of the task.
 */
#include <string.h>
#include <sys/mman.h>

#include "runtime/sched/inside.h"

#ifdef WEFT_ASAN
#include <sanitizer/lsan_interface.h>
#endif

enum { CHUNK_BYTES = 256 * 1024, ID_BLOCK = 64 };

struct chunk {
    struct chunk *next;
    size_t count;
    alignas(64) struct weft_task tasks[];
};

static struct {
    uint32_t lock; /* of all below */
    struct chunk *chunks;
    size_t used; /* of the newest chunk */
    struct weft_task *spare;
} pool;

static uint64_t next_id = 1;

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
    return &pool.chunks->tasks[pool.used++];
}

/* Takes up to `want` records from the pool into a chain. */
static struct weft_task *from_pool(unsigned want, unsigned *got)
{
    struct weft_task *chain = NULL;
    *got = 0;
    weft__lock(&pool.lock);
    while (*got < want) {
        struct weft_task *t = pool.spare;
        if (t)
            pool.spare = t->next;
        else if (!(t = fresh()))
            break;
        t->next = chain;
        chain = t;
        ++*got;
    }
    weft__unlock(&pool.lock);
    return chain;
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

struct weft_task *weft__task_new(struct weft__worker *w)
{
    struct weft_task *t;
    unsigned got;
    if (w) {
        if (!w->free_tasks)
            w->free_tasks = from_pool(WEFT_TASK_CACHE / 2, &w->free_task_count);
        t = w->free_tasks;
        if (!t)
            return NULL;
        w->free_tasks = t->next;
        w->free_task_count--;
    } else if (!(t = from_pool(1, &got))) {
        return NULL;
    }
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

static void to_pool(struct weft_task *t)
{
    weft__lock(&pool.lock);
    t->next = pool.spare;
    pool.spare = t;
    weft__unlock(&pool.lock);
}

void weft__task_recycle(struct weft__worker *w, struct weft_task *t)
{
    __atomic_store_n(&t->state, WEFT__FREE, __ATOMIC_RELEASE);
    if (!w) {
        to_pool(t);
        return;
    }
    t->next = w->free_tasks;
    w->free_tasks = t;
    if (++w->free_task_count <= WEFT_TASK_CACHE)
        return;
    for (int i = 0; i < WEFT_TASK_CACHE / 2; i++) {
        struct weft_task *spare = w->free_tasks;
        w->free_tasks = spare->next;
        w->free_task_count--;
        to_pool(spare);
    }
}

void weft__task_drop_cache(struct weft__worker *w)
{
    while (w->free_tasks) {
        struct weft_task *t = w->free_tasks;
        w->free_tasks = t->next;
        to_pool(t);
    }
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
