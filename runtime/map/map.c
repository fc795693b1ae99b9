/*
 * The plain map: for one task at a time.
 *
 * Entries lie one after another in the order they were set; beside them a table of their numbers,
 * by hash. So a walk is a walk through an array, and a table of four bytes a place stays in the
 * cache. A deleted entry leaves a hole, which goes when the table is made anew; that does not
 * happen during a walk, so a walk may delete and set.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "runtime/map/hash.h"
#include "runtime/sched/sched.h"

enum { TABLE_MIN = 8 };
#define FREE UINT32_MAX

struct entry {
    uint64_t hash;
    uint32_t key_size;
    bool dead;
    alignas(16) unsigned char bytes[]; /* the value, then the key or a pointer to it */
};

struct weft_map {
    struct weft__keys keys;
    size_t value_size, key_offset, stride;
    unsigned char *entries;
    uint32_t *table; /* numbers of entries; those of holes stay, to be passed over */
    uint32_t mask, live, used, room;
    uint32_t walks;
    const void *writing; /* where, to catch a second task; no promise */
};

uint64_t weft__map_seed(void)
{
    static uint64_t process, drawn;
    uint64_t seed = __atomic_load_n(&process, __ATOMIC_RELAXED);
    if (seed == 0) {
        if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) != sizeof seed)
            seed = (uint64_t)weft_now() ^ (uint64_t)(uintptr_t)&seed;
        __atomic_store_n(&process, seed | 1, __ATOMIC_RELAXED);
    }
    uint64_t number = __atomic_add_fetch(&drawn, 1, __ATOMIC_RELAXED);
    return weft__mix(seed | 1, number * WEFT__ODD_1 + WEFT__ODD_2);
}

struct weft_map *weft_map_new(size_t key_size, size_t value_size)
{
    if (key_size > INT32_MAX || value_size > INT32_MAX)
        return NULL;
    struct weft_map *map = calloc(1, sizeof *map);
    if (!map)
        return NULL;
    map->keys = (struct weft__keys){key_size, weft__map_seed()};
    map->value_size = value_size;
    size_t stored = key_size ? key_size : sizeof(char *);
    size_t align = stored % 16 == 0 ? 16 : 8;
    map->key_offset = (value_size + align - 1) & ~(align - 1);
    map->stride = (sizeof(struct entry) + map->key_offset + stored + 15) & ~(size_t)15;
    return map;
}

static struct entry *entry_at(const struct weft_map *map, uint32_t i)
{
    return (struct entry *)(void *)(map->entries + (size_t)i * map->stride);
}

static void *key_at(const struct weft_map *map, struct entry *e)
{
    void *stored = e->bytes + map->key_offset;
    if (map->keys.size)
        return stored;
    char *string;
    memcpy(&string, stored, sizeof string);
    return string;
}

static void drop_key(struct weft_map *map, struct entry *e)
{
    if (!map->keys.size)
        free(key_at(map, e));
}

void weft_map_free(struct weft_map *map)
{
    if (!map)
        return;
    for (uint32_t i = 0; i < map->used; i++) {
        if (!entry_at(map, i)->dead)
            drop_key(map, entry_at(map, i));
    }
    free(map->entries);
    free(map->table);
    free(map);
}

/* ---- finding ---- */

static uint32_t find(const struct weft_map *map, const struct weft__key *key)
{
    if (!map->table)
        return FREE;
    uint32_t at = (uint32_t)key->hash & map->mask;
    for (;; at = (at + 1) & map->mask) {
        uint32_t i = map->table[at];
        if (i == FREE)
            return FREE;
        struct entry *e = entry_at(map, i);
        if (e->hash == key->hash && !e->dead && weft__key_equal(key, key_at(map, e), e->key_size))
            return i;
    }
}

/* The same for a key of one word: it needs no memory, and the key is compared as fast as its hash.
 */
static inline struct entry *find_word(const struct weft_map *map, uint64_t word)
{
    if (!map->table)
        return NULL;
    uint32_t at = (uint32_t)weft__hash_word(&map->keys, word) & map->mask;
    for (;; at = (at + 1) & map->mask) {
        uint32_t i = map->table[at];
        if (i == FREE)
            return NULL;
        struct entry *e = entry_at(map, i);
        if (weft__word_at(e->bytes + map->key_offset) == word && !e->dead)
            return e;
    }
}

static inline void check_alone(const struct weft_map *map, const void *caller)
{
    const void *writing = __atomic_load_n(&map->writing, __ATOMIC_RELAXED);
    if (__builtin_expect(writing != NULL, 0))
        weft__fatal_object("concurrent use of a map", map, caller, "it is changed", writing);
}

__attribute__((noinline)) static void *get_any(struct weft_map *map, const void *key)
{
    struct weft__key k = weft__key_of(&map->keys, key);
    uint32_t i = find(map, &k);
    return i == FREE ? NULL : entry_at(map, i)->bytes;
}

/* As little as possible lies between a lock and its unlock: what is most frequent calls nothing. */
void *weft_map_get(struct weft_map *map, const void *key)
{
    check_alone(map, WEFT_CALLER());
    if (__builtin_expect(map->keys.size != sizeof(uint64_t), 0))
        return get_any(map, key);
    struct entry *e = find_word(map, weft__word_at(key));
    return e ? e->bytes : NULL;
}

size_t weft_map_len(const struct weft_map *map)
{
    return map ? map->live : 0;
}

/* ---- growing ---- */

static void index_entry(struct weft_map *map, uint32_t i)
{
    uint32_t at = (uint32_t)entry_at(map, i)->hash & map->mask;
    while (map->table[at] != FREE)
        at = (at + 1) & map->mask;
    map->table[at] = i;
}

static void close_holes(struct weft_map *map)
{
    uint32_t to = 0;
    for (uint32_t i = 0; i < map->used; i++) {
        if (entry_at(map, i)->dead)
            continue;
        if (to != i)
            memcpy(entry_at(map, to), entry_at(map, i), map->stride);
        to++;
    }
    map->used = to;
}

/* Room for one more entry, at three in four places of the table. */
static int make_room(struct weft_map *map)
{
    uint32_t wanted = map->walks ? map->used + 1 : map->live + 1;
    uint64_t size = TABLE_MIN;
    while (size / 2 < wanted || size / 4 * 3 < map->room)
        size *= 2; /* at most half full, so that the work is worth it */
    if (size > UINT32_MAX / 2)
        return -ENOMEM;
    uint32_t room = (uint32_t)(size / 4 * 3);
    uint32_t *table = malloc(size * sizeof *table);
    if (!table)
        return -ENOMEM;
    if (room > map->room) {
        unsigned char *entries = realloc(map->entries, (size_t)room * map->stride);
        if (!entries) {
            free(table);
            return -ENOMEM;
        }
        map->entries = entries;
        map->room = room;
    }
    if (!map->walks)
        close_holes(map);
    free(map->table);
    map->table = table;
    map->mask = (uint32_t)size - 1;
    memset(table, 0xff, size * sizeof *table);
    for (uint32_t i = 0; i < map->used; i++)
        index_entry(map, i);
    return 0;
}

/* ---- changing ---- */

static void set_value(const struct weft_map *map, struct entry *e, const void *value)
{
    if (map->value_size)
        memcpy(e->bytes, value, map->value_size);
}

static int append(struct weft_map *map, const struct weft__key *key, const void *value)
{
    if (map->used == map->room) {
        int r = make_room(map);
        if (r != 0)
            return r;
    }
    struct entry *e = entry_at(map, map->used);
    char *string;
    if (map->keys.size) {
        memcpy(e->bytes + map->key_offset, key->bytes, key->size);
    } else {
        if (key->size > UINT32_MAX || !(string = malloc(key->size)))
            return -ENOMEM;
        memcpy(string, key->bytes, key->size);
        memcpy(e->bytes + map->key_offset, &string, sizeof string);
    }
    e->hash = key->hash;
    e->key_size = (uint32_t)key->size;
    e->dead = false;
    set_value(map, e, value);
    index_entry(map, map->used++);
    map->live++;
    return 0;
}

/* With `writing` set, which is taken back. */
__attribute__((noinline)) static int set_any(struct weft_map *map, const void *key,
                                             const void *value)
{
    struct weft__key k = weft__key_of(&map->keys, key);
    uint32_t i = find(map, &k);
    int r = 0;
    if (i == FREE)
        r = append(map, &k, value);
    else
        set_value(map, entry_at(map, i), value);
    __atomic_store_n(&map->writing, NULL, __ATOMIC_RELAXED);
    return r;
}

int weft_map_set(struct weft_map *map, const void *key, const void *value)
{
    check_alone(map, WEFT_CALLER());
    __atomic_store_n(&map->writing, WEFT_CALLER(), __ATOMIC_RELAXED);
    if (map->keys.size != sizeof(uint64_t) || map->value_size != sizeof(uint64_t))
        return set_any(map, key, value);
    struct entry *e = find_word(map, weft__word_at(key));
    if (!e)
        return set_any(map, key, value);
    memcpy(e->bytes, value, sizeof(uint64_t));
    __atomic_store_n(&map->writing, NULL, __ATOMIC_RELAXED);
    return 0;
}

int weft_map_delete(struct weft_map *map, const void *key)
{
    check_alone(map, WEFT_CALLER());
    __atomic_store_n(&map->writing, WEFT_CALLER(), __ATOMIC_RELAXED);
    struct weft__key k = weft__key_of(&map->keys, key);
    uint32_t i = find(map, &k);
    if (i != FREE) {
        struct entry *e = entry_at(map, i);
        drop_key(map, e);
        e->dead = true;
        map->live--;
    }
    __atomic_store_n(&map->writing, NULL, __ATOMIC_RELAXED);
    return i == FREE ? -ENOENT : 0;
}

int weft_map_range(struct weft_map *map, int (*fn)(const void *key, void *value, void *arg),
                   void *arg)
{
    int r = 0;
    map->walks++;
    for (uint32_t i = 0; i < map->used && r == 0; i++) {
        struct entry *e = entry_at(map, i);
        if (!e->dead)
            r = fn(key_at(map, e), e->bytes, arg);
    }
    map->walks--;
    return r;
}
