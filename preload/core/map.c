/* map.c - see map.h. */
#include "preload/core/map.h"

#include <time.h>

#include "preload/core/gate.h"
#include "preload/core/sys.h"

#define SPINS     100
#define YIELDS    400
#define NAPS      100
#define NAP_NS    100000
#define STEPS_MAX 100000
#define LOOKS_MAX 1000

int pl_map_init(struct pl_map *map, uint32_t bits)
{
    if (bits > PL_MAP_BITS_MOST)
        return -1;
    for (size_t i = 0; i < sizeof(map->written) / sizeof(map->written[0]); i++)
        atomic_store(&map->written[i], 0);
    map->bits = bits;
    map->nodes.bytes = sizeof(struct pl_map_node);
    atomic_store(&map->nodes.head, 0);
    atomic_store(&map->count, 0);
    map->buckets = pl_arena_table(sizeof(struct pl_map_bucket) << bits);
    return map->buckets == NULL ? -1 : 0;
}

static uint64_t mixed(uint64_t key)
{
    return key * UINT64_C(0x9e3779b97f4a7c15);
}

/* A cache line has a bucket of its own within as much memory as there are buckets for; where the
 * next such piece begins in them is by chance. */
static uint64_t near_index(const struct pl_map *map, uint64_t key)
{
    const uint64_t line = key >> 6;
    return (line + (mixed(line >> map->bits) >> 32)) & ((UINT64_C(1) << map->bits) - 1);
}

static struct pl_map_bucket *bucket_of(const struct pl_map *map, uint64_t key)
{
    if (map->buckets == NULL)
        return NULL;
    if (map->near)
        return &map->buckets[near_index(map, key)];
    return &map->buckets[mixed(key) >> (64 - map->bits)];
}

/* The bucket's page, as a number and a bit of a word. */
struct page {
    size_t word;
    uint64_t bit;
};

static inline struct page page_of(const struct pl_map *map, const struct pl_map_bucket *bucket)
{
    const size_t page = ((uintptr_t)bucket >> 12) - ((uintptr_t)map->buckets >> 12);
    return (struct page){page / 64, UINT64_C(1) << page % 64};
}

static inline int is_written(const struct pl_map *map, const struct pl_map_bucket *bucket)
{
    const struct page page = page_of(map, bucket);
    return (atomic_load_explicit(&map->written[page.word], memory_order_acquire) & page.bit) != 0;
}

/* Where the thread's block lies tells it from the others that live. */
static uint32_t bucket_owner(void)
{
    return (uint32_t)((uintptr_t)pl_self() >> 4) | 1;
}

/* Past the spins: others run, among them the holder; at last those of a lower priority too. */
static void bucket_pause(int round)
{
    if (round < SPINS) {
#if defined(__x86_64__)
        __builtin_ia32_pause();
#endif
    } else if (round < SPINS + YIELDS) {
        pl_sys6(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
    } else {
        struct timespec nap = {0, NAP_NS};
        pl_sys6(SYS_nanosleep, (long)&nap, 0, 0, 0, 0, 0);
    }
}

static int bucket_lock(struct pl_map *map, struct pl_map_bucket *bucket)
{
    uint32_t self = bucket_owner();
    if (!is_written(map, bucket)) {
        const struct page page = page_of(map, bucket);
        atomic_fetch_add_explicit(&bucket->taken, 0, memory_order_relaxed); /* which writes */
        atomic_fetch_or_explicit(&map->written[page.word], page.bit, memory_order_release);
    }
    for (int round = 0; round < SPINS + YIELDS + NAPS; round++) {
        uint32_t owner = atomic_load_explicit(&bucket->lock, memory_order_relaxed);
        if (owner == 0 &&
            atomic_compare_exchange_strong_explicit(&bucket->lock, &owner, self,
                                                    memory_order_acquire, memory_order_relaxed))
            return 0;
        if (owner == self)
            return -1;
        bucket_pause(round);
    }
    return -1;
}

static void bucket_unlock(struct pl_map_bucket *bucket)
{
    atomic_store_explicit(&bucket->lock, 0, memory_order_release);
}

static void *chain_look(struct pl_map_bucket *bucket, uint64_t key)
{
    struct pl_map_node *node = atomic_load_explicit(&bucket->first, memory_order_acquire);
    for (uint32_t steps = 0; node != NULL && steps < STEPS_MAX; steps++) {
        if (atomic_load_explicit(&node->key, memory_order_acquire) == key) {
            void *value = atomic_load_explicit(&node->value, memory_order_acquire);
            /* The same key on both sides of the value's load: they belong together. */
            if (atomic_load_explicit(&node->key, memory_order_relaxed) == key)
                return value;
        }
        node = atomic_load_explicit(&node->next, memory_order_acquire);
    }
    return NULL;
}

/* A look that went by way of a node that was taken out may have ended in another bucket. */
static void *chain_find(struct pl_map_bucket *bucket, uint64_t key)
{
    void *value = NULL;
    uint32_t before, after = atomic_load_explicit(&bucket->taken, memory_order_acquire);
    int looks = 0;
    do {
        before = after;
        value = chain_look(bucket, key);
        atomic_thread_fence(memory_order_acquire);
        after = atomic_load_explicit(&bucket->taken, memory_order_relaxed);
    } while (value == NULL && before != after && ++looks < LOOKS_MAX);
    return value;
}

void *pl_map_find(struct pl_map *map, uint64_t key)
{
    struct pl_map_bucket *bucket = bucket_of(map, key);
    return bucket == NULL || !is_written(map, bucket) ? NULL : chain_find(bucket, key);
}

static int chain_add(struct pl_map *map, struct pl_map_bucket *bucket, uint64_t key, void *value)
{
    int fresh;
    struct pl_map_node *node = pl_pool_get(&map->nodes, &fresh);
    if (node == NULL)
        return -1;
    struct pl_map_node *first = atomic_load_explicit(&bucket->first, memory_order_relaxed);
    atomic_store_explicit(&node->value, value, memory_order_release);
    atomic_store_explicit(&node->key, key, memory_order_release);
    atomic_store_explicit(&node->next, first, memory_order_release);
    atomic_store_explicit(&bucket->first, node, memory_order_release);
    atomic_fetch_add_explicit(&map->count, 1, memory_order_relaxed);
    return 0;
}

void *pl_map_get(struct pl_map *map, uint64_t key, void *(*make)(void *ctx), void *ctx)
{
    struct pl_map_bucket *bucket = bucket_of(map, key);
    if (bucket == NULL)
        return NULL;
    void *value = is_written(map, bucket) ? chain_find(bucket, key) : NULL;
    if (value != NULL || bucket_lock(map, bucket) != 0)
        return value;
    value = chain_find(bucket, key);
    if (value == NULL) {
        value = make(ctx);
        if (value != NULL && chain_add(map, bucket, key, value) != 0)
            value = NULL;
    }
    bucket_unlock(bucket);
    return value;
}

static struct pl_map_node *chain_node(struct pl_map_bucket *bucket, uint64_t key,
                                      struct pl_map_node **before)
{
    *before = NULL;
    for (struct pl_map_node *node = atomic_load(&bucket->first); node != NULL;
         node = atomic_load(&node->next)) {
        if (atomic_load(&node->key) == key)
            return node;
        *before = node;
    }
    return NULL;
}

int pl_map_set(struct pl_map *map, uint64_t key, void *value)
{
    struct pl_map_bucket *bucket = bucket_of(map, key);
    struct pl_map_node *before;
    if (bucket == NULL || bucket_lock(map, bucket) != 0)
        return -1;
    struct pl_map_node *node = chain_node(bucket, key, &before);
    int result = 0;
    if (node != NULL)
        atomic_store_explicit(&node->value, value, memory_order_release);
    else
        result = chain_add(map, bucket, key, value);
    bucket_unlock(bucket);
    return result;
}

/* With the bucket's lock. `taken` is counted first: see chain_find. */
static void chain_remove(struct pl_map *map, struct pl_map_bucket *bucket, struct pl_map_node *node,
                         struct pl_map_node *before)
{
    uint32_t taken = atomic_load_explicit(&bucket->taken, memory_order_relaxed);
    struct pl_map_node *after = atomic_load_explicit(&node->next, memory_order_relaxed);
    atomic_store_explicit(before == NULL ? &bucket->first : &before->next, after,
                          memory_order_release);
    atomic_store_explicit(&bucket->taken, taken + 1, memory_order_release);
    atomic_store_explicit(&node->key, 0, memory_order_release);
    atomic_fetch_sub_explicit(&map->count, 1, memory_order_relaxed);
    pl_pool_put(&map->nodes, node);
}

int pl_map_change(struct pl_map *map, uint64_t key, void *(*change)(void *value))
{
    struct pl_map_bucket *bucket = bucket_of(map, key);
    struct pl_map_node *before;
    if (bucket == NULL || bucket_lock(map, bucket) != 0)
        return -1;
    struct pl_map_node *node = chain_node(bucket, key, &before);
    void *value = change(node == NULL ? NULL : atomic_load(&node->value));
    int result = 0;
    if (node != NULL && value != NULL)
        atomic_store_explicit(&node->value, value, memory_order_release);
    else if (node != NULL)
        chain_remove(map, bucket, node, before);
    else if (value != NULL)
        result = chain_add(map, bucket, key, value);
    bucket_unlock(bucket);
    return result;
}

void *pl_map_take(struct pl_map *map, uint64_t key, const void *only)
{
    struct pl_map_bucket *bucket = bucket_of(map, key);
    struct pl_map_node *before;
    void *value = NULL;
    if (bucket == NULL || !is_written(map, bucket) || chain_find(bucket, key) == NULL ||
        bucket_lock(map, bucket) != 0)
        return NULL;
    struct pl_map_node *node = chain_node(bucket, key, &before);
    if (node != NULL && (only == NULL || atomic_load(&node->value) == only)) {
        value = atomic_load(&node->value);
        chain_remove(map, bucket, node, before);
    }
    bucket_unlock(bucket);
    return value;
}

void pl_map_each(struct pl_map *map, int (*on)(void *value, void *ctx), void *ctx)
{
    if (map->buckets == NULL || atomic_load_explicit(&map->count, memory_order_relaxed) == 0)
        return;
    for (uint64_t i = 0; i < UINT64_C(1) << map->bits; i++) {
        if (!is_written(map, &map->buckets[i]))
            continue;
        struct pl_map_node *node = atomic_load(&map->buckets[i].first);
        while (node != NULL) {
            struct pl_map_node *next = atomic_load(&node->next);
            uint64_t key = atomic_load(&node->key);
            void *value = atomic_load(&node->value);
            if (key != 0 && value != NULL && on(value, ctx))
                pl_map_take(map, key, value);
            node = next;
        }
    }
}
