/* stack_table.c - see stack_table.h. */
#include "preload/core/stack_table.h"

#include <stdatomic.h>
#include <string.h>

#include "preload/core/arena.h"

/*
 * Stacks lie in tables, of which each next one is eight times as large and made once the last one
 * is full: few stacks touch few pages, which each fork child pays for anew.
 */
#define LEVELS     3
#define FIRST_BITS 10
#define STEP_BITS  3
#define CHAIN      2 /* stacks for each bucket of a full table */

struct stack {
    _Atomic(struct stack *) next;
    uint64_t hash;
    uint32_t id;
    uint32_t n;
    uintptr_t pcs[];
};

typedef _Atomic(struct stack *) bucket_t;

static _Atomic(bucket_t *) levels[LEVELS];
static _Atomic uint32_t last_id;

static unsigned bits_of(unsigned level)
{
    return FIRST_BITS + level * STEP_BITS;
}

/* The one that takes further stacks. Who loses the race to make it leaves its memory unused. */
static unsigned level_now(void)
{
    const uint32_t n = atomic_load_explicit(&last_id, memory_order_relaxed);
    unsigned level = 0;
    while (level + 1 < LEVELS && n >= (uint32_t)CHAIN << bits_of(level))
        level++;
    while (level > 0 && atomic_load(&levels[level]) == NULL) {
        bucket_t *none = NULL, *made = pl_arena_table(sizeof(bucket_t) << bits_of(level));
        if (made != NULL)
            atomic_compare_exchange_strong(&levels[level], &none, made);
        else
            level--;
    }
    return level;
}

int pl_stack_table_init(void)
{
    atomic_store(&last_id, 0);
    for (unsigned i = 1; i < LEVELS; i++)
        atomic_store(&levels[i], NULL);
    atomic_store(&levels[0], pl_arena_table(sizeof(bucket_t) << FIRST_BITS));
    return atomic_load(&levels[0]) == NULL ? -1 : 0;
}

static bucket_t *bucket_of(unsigned level, uint64_t hash)
{
    bucket_t *buckets = atomic_load_explicit(&levels[level], memory_order_acquire);
    return buckets == NULL ? NULL : &buckets[hash >> (64 - bits_of(level))];
}

static uint64_t hash_of(const uintptr_t *pcs, unsigned n)
{
    uint64_t h = n;
    for (unsigned i = 0; i < n; i++) {
        h = (h ^ pcs[i]) * UINT64_C(0x9e3779b97f4a7c15);
        h ^= h >> 29;
    }
    return h;
}

static struct stack *chain_find(struct stack *s, uint64_t hash, const uintptr_t *pcs, unsigned n)
{
    for (; s != NULL; s = atomic_load_explicit(&s->next, memory_order_acquire)) {
        if (s->hash == hash && s->n == n && memcmp(s->pcs, pcs, n * sizeof(pcs[0])) == 0)
            return s;
    }
    return NULL;
}

uint32_t pl_stack_table_get(const uintptr_t *pcs, unsigned n, int *created)
{
    const uint64_t hash = hash_of(pcs, n);
    bucket_t *bucket = NULL;
    struct stack *first = NULL, *s;
    *created = 0;
    for (unsigned i = 0, last = level_now(); i <= last; i++) {
        bucket = bucket_of(i, hash);
        first = bucket == NULL ? NULL : atomic_load_explicit(bucket, memory_order_acquire);
        s = chain_find(first, hash, pcs, n);
        if (s != NULL)
            return s->id;
    }
    if (bucket == NULL || atomic_load(&last_id) >= PL_STACKS_MAX - 1)
        return 0;
    struct stack *fresh = pl_arena_table(sizeof(*fresh) + n * sizeof(pcs[0]));
    if (fresh == NULL)
        return 0;
    fresh->hash = hash;
    fresh->n = n;
    memcpy(fresh->pcs, pcs, n * sizeof(pcs[0]));
    fresh->id = atomic_fetch_add(&last_id, 1) + 1;
    for (;;) {
        atomic_store(&fresh->next, first);
        if (atomic_compare_exchange_strong(bucket, &first, fresh)) {
            *created = 1;
            return fresh->id;
        }
        s = chain_find(first, hash, pcs, n); /* somebody else may have added the same */
        if (s != NULL)
            return s->id;
    }
}

uint32_t pl_stack_table_last(void)
{
    return atomic_load(&last_id);
}
