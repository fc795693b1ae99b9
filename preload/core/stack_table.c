/* stack_table.c - see stack_table.h. */
#include "preload/core/stack_table.h"

#include <stdatomic.h>
#include <string.h>

#include "preload/core/arena.h"

#define TABLE_BITS 16

struct stack {
    _Atomic(struct stack *) next;
    uint64_t hash;
    uint32_t id;
    uint32_t n;
    uintptr_t pcs[];
};

static _Atomic(struct stack *) *buckets;
static _Atomic uint32_t last_id;

int pl_stack_table_init(void)
{
    atomic_store(&last_id, 0);
    buckets = pl_arena_alloc(sizeof(buckets[0]) << TABLE_BITS);
    return buckets == NULL ? -1 : 0;
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
    *created = 0;
    if (buckets == NULL)
        return 0;
    uint64_t hash = hash_of(pcs, n);
    _Atomic(struct stack *) *bucket = &buckets[hash >> (64 - TABLE_BITS)];
    struct stack *first = atomic_load_explicit(bucket, memory_order_acquire);
    struct stack *s = chain_find(first, hash, pcs, n);
    if (s != NULL)
        return s->id;
    if (atomic_load(&last_id) >= PL_STACKS_MAX - 1)
        return 0;
    struct stack *fresh = pl_arena_alloc(sizeof(*fresh) + n * sizeof(pcs[0]));
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
