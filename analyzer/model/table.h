/*
 * table.h - a hash table from two words to a number, for indexes into the arrays of a model.
 *
 * Its size follows the keys that are set; a key is removed by setting its value to TABLE_NONE.
 */
#ifndef MODEL_TABLE_H
#define MODEL_TABLE_H

#include <stdint.h>
#include <stdlib.h>

#include "analyzer/model/memory.h"

#define TABLE_NONE UINT32_MAX

struct table_entry {
    uint64_t a, b;
    uint32_t value;
    uint32_t used;
};

/* Zeroed, it is empty. */
struct table {
    struct table_entry *entries;
    size_t size; /* a power of two, or 0 */
    size_t used;
};

static inline uint64_t table_hash(uint64_t a, uint64_t b)
{
    uint64_t h = (a ^ (b << 32 | b >> 32)) * UINT64_C(0x9e3779b97f4a7c15);
    h ^= h >> 29;
    h *= UINT64_C(0xbf58476d1ce4e5b9);
    return h ^ h >> 32;
}

static inline struct table_entry *table_probe(struct table_entry *entries, size_t size, uint64_t a,
                                              uint64_t b)
{
    size_t i = table_hash(a, b) & (size - 1);
    while (entries[i].used && (entries[i].a != a || entries[i].b != b))
        i = (i + 1) & (size - 1);
    return &entries[i];
}

static inline void table_grow(struct table *t)
{
    size_t live = 0, used = 0, size = 64;
    for (size_t i = 0; i < t->size; i++)
        live += t->entries[i].used && t->entries[i].value != TABLE_NONE;
    while (size < 4 * live)
        size *= 2;
    struct table_entry *entries = xcalloc(size, sizeof *entries);
    for (size_t i = 0; i < t->size; i++) {
        const struct table_entry *e = &t->entries[i];
        if (!e->used || e->value == TABLE_NONE)
            continue;
        *table_probe(entries, size, e->a, e->b) = *e;
        used++;
    }
    free(t->entries);
    *t = (struct table){entries, size, used};
}

/* The value's place; TABLE_NONE when the key was not there. Valid until the next call. */
static inline uint32_t *table_slot(struct table *t, uint64_t a, uint64_t b)
{
    if (4 * (t->used + 1) > 3 * t->size)
        table_grow(t);
    struct table_entry *e = table_probe(t->entries, t->size, a, b);
    if (!e->used) {
        *e = (struct table_entry){a, b, TABLE_NONE, 1};
        t->used++;
    }
    return &e->value;
}

static inline uint32_t table_get(const struct table *t, uint64_t a, uint64_t b)
{
    if (t->size == 0)
        return TABLE_NONE;
    const struct table_entry *e = table_probe(t->entries, t->size, a, b);
    return e->used ? e->value : TABLE_NONE;
}

static inline void table_finish(struct table *t)
{
    free(t->entries);
    *t = (struct table){0};
}

#endif
