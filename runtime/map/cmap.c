/*
 * The concurrent map.
 *
 * Design notes
 *
 * Keys fall into shards by their hash. A shard is a table of pointers to nodes with linear probing;
 * a node is never moved, and all of it but a one-word value is never changed. So a reader takes no
 * lock and writes nothing that others read: it finds the node, copies the value, and is done. The
 * other choice, a reader count or lock in each shard, costs two locked instructions and a cache
 * line that travels between the cores with each load.
 *
 * Who changes a shard holds its guard. A value of up to eight bytes is stored into its node in one
 * piece; a larger one, or one with references, gets another node in the same place. A larger table
 * takes over the nodes as they are; readers of the old one see the shard as it was when it was
 * replaced, which is within their call.
 *
 * What is unlinked is kept in the shard's list until readers cannot have it any more
 * (sync/reclaim.h); then values are released and nodes freed, by whoever changes the shard next.
 *
 * A walk copies a shard in one section, then calls back. `born` numbers the keys of a shard: what
 * was added after the walk came to it is passed over, so a key that was deleted and set again
 * meanwhile is not seen twice.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "runtime/map/hash.h"
#include "runtime/sched/sched.h"
#include "runtime/sync/reclaim.h"

enum {
    TABLE_MIN = 8,
    SHARDS_MIN = 16,
    SHARDS_MAX = 256,
    RETIRED_MANY = 128,     /* worth a look whether readers are gone */
    RETIRED_TOO_MANY = 4096 /* worth waiting for them */
};

struct retired {
    struct retired *next;
    bool is_table;
};

struct node {
    struct retired retired;
    uint64_t hash, born;
    uint32_t key_size;
    alignas(16) unsigned char bytes[]; /* the value, then the key */
};

struct slot {
    uint64_t hash;
    struct node *node; /* NULL: never used; &tombstone: no more */
};

struct table {
    struct retired retired;
    uint32_t mask;
    struct slot slots[];
};

struct shard {
    alignas(64) uint32_t guard; /* of all below; readers load `table` and what it leads to */
    uint32_t live, used;        /* used: with tombstones */
    uint32_t retired_count, look_at;
    uint64_t births;
    struct table *table;
    struct retired *retired;
};

struct weft_cmap {
    struct weft__keys keys;
    size_t value_size, key_offset;
    void (*retain)(void *value), (*release)(void *value);
    bool word; /* values are one word, stored in place */
    unsigned shift, shards;
    struct shard shard[];
};

static struct node tombstone;

/* ---- life ---- */

struct weft_cmap *weft_cmap_new(const struct weft_cmap_options *o)
{
    if (o->key_size > INT32_MAX || o->value_size > INT32_MAX || !o->retain != !o->release)
        return NULL;
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned shards = SHARDS_MIN, shift = 64 - 4;
    for (; shards < SHARDS_MAX && shards < 16 * cpus; shards *= 2)
        shift--;
    size_t bytes = sizeof(struct weft_cmap) + shards * sizeof(struct shard);
    struct weft_cmap *map = aligned_alloc(64, (bytes + 63) & ~(size_t)63);
    if (!map)
        return NULL;
    memset(map, 0, bytes);
    map->keys = (struct weft__keys){o->key_size, weft__map_seed()};
    map->value_size = o->value_size;
    map->retain = o->retain;
    map->release = o->release;
    map->word = o->value_size <= sizeof(uint64_t) && !o->release;
    size_t value_room = map->word ? sizeof(uint64_t) : o->value_size;
    size_t align = o->key_size && o->key_size % 16 == 0 ? 16 : 8;
    map->key_offset = (value_room + align - 1) & ~(align - 1);
    map->shards = shards;
    map->shift = shift;
    for (unsigned i = 0; i < shards; i++)
        map->shard[i].look_at = RETIRED_MANY;
    return map;
}

static void free_node(const struct weft_cmap *map, struct node *n)
{
    if (map->release)
        map->release(n->bytes);
    free(n);
}

static void free_retired(const struct weft_cmap *map, struct retired *list)
{
    while (list) {
        struct retired *r = list;
        list = r->next;
        if (r->is_table)
            free(r);
        else
            free_node(map, (struct node *)r);
    }
}

void weft_cmap_free(struct weft_cmap *map)
{
    if (!map)
        return;
    weft__reclaim_passed(true);
    for (unsigned i = 0; i < map->shards; i++) {
        struct shard *s = &map->shard[i];
        free_retired(map, s->retired);
        for (uint32_t k = 0; s->table && k <= s->table->mask; k++) {
            struct node *n = s->table->slots[k].node;
            if (n && n != &tombstone)
                free_node(map, n);
        }
        free(s->table);
    }
    free(map);
}

static void retire(struct shard *s, struct retired *r, bool is_table)
{
    r->is_table = is_table;
    r->next = s->retired;
    s->retired = r;
    s->retired_count++;
}

/* Gives up the guard, and then what no reader can have any more. */
static void unlock_and_reclaim(struct weft_cmap *map, struct shard *s)
{
    struct retired *list = NULL;
    if (__builtin_expect(s->retired_count >= s->look_at, 0)) {
        if (weft__reclaim_passed(s->retired_count >= RETIRED_TOO_MANY)) {
            list = s->retired;
            s->retired = NULL;
            s->retired_count = 0;
        }
        s->look_at = s->retired_count + RETIRED_MANY;
    }
    weft__unlock(&s->guard);
    if (list)
        free_retired(map, list);
}

/* ---- finding ---- */

static inline struct shard *shard_of(struct weft_cmap *map, uint64_t hash)
{
    return &map->shard[hash >> map->shift];
}

/* The key's place in the table, NULL when it is not in. In a section or under the guard. */
static inline struct slot *find(const struct weft_cmap *map, struct table *t,
                                const struct weft__key *key, struct node **found)
{
    for (uint32_t at = (uint32_t)key->hash;; at++) {
        struct slot *slot = &t->slots[at & t->mask];
        struct node *n = __atomic_load_n(&slot->node, __ATOMIC_ACQUIRE);
        if (!n)
            return NULL;
        if (__atomic_load_n(&slot->hash, __ATOMIC_RELAXED) == key->hash && n != &tombstone &&
            weft__key_equal(key, n->bytes + map->key_offset, n->key_size)) {
            *found = n;
            return slot;
        }
    }
}

static struct slot *find_locked(const struct weft_cmap *map, struct shard *s,
                                const struct weft__key *key, struct node **found)
{
    return s->table ? find(map, s->table, key, found) : NULL;
}

static inline void read_value(const struct weft_cmap *map, struct node *n, void *value)
{
    if (map->word) {
        uint64_t word = __atomic_load_n((uint64_t *)(void *)n->bytes, __ATOMIC_ACQUIRE);
        if (map->value_size == sizeof word)
            memcpy(value, &word, sizeof word);
        else
            memcpy(value, &word, map->value_size);
        return;
    }
    memcpy(value, n->bytes, map->value_size);
    if (map->retain)
        map->retain(value);
}

static uint64_t word_of(const struct weft_cmap *map, const void *value)
{
    uint64_t word = 0;
    if (map->value_size)
        memcpy(&word, value, map->value_size);
    return word;
}

static int load_locked(struct weft_cmap *map, const struct weft__key *key, void *value)
{
    struct shard *s = shard_of(map, key->hash);
    struct node *n = NULL;
    weft__lock(&s->guard);
    if (find_locked(map, s, key, &n) && value)
        read_value(map, n, value);
    weft__unlock(&s->guard);
    return n ? 0 : -ENOENT;
}

static inline int load(struct weft_cmap *map, const struct weft__key *key, void *value)
{
    struct shard *s = shard_of(map, key->hash);
    struct node *n = NULL;
    struct weft__reader *r = weft__read_enter();
    if (__builtin_expect(!r, 0))
        return load_locked(map, key, value);
    struct table *t = __atomic_load_n(&s->table, __ATOMIC_ACQUIRE);
    if (t && find(map, t, key, &n) && value)
        read_value(map, n, value);
    weft__read_leave(r);
    return n ? 0 : -ENOENT;
}

int weft_cmap_load(struct weft_cmap *map, const void *key, void *value)
{
    struct weft__key k = weft__key_of(&map->keys, key);
    return load(map, &k, value);
}

size_t weft_cmap_len(const struct weft_cmap *map)
{
    size_t sum = 0;
    for (unsigned i = 0; i < map->shards; i++)
        sum += __atomic_load_n(&map->shard[i].live, __ATOMIC_RELAXED);
    return sum;
}

/* ---- changing; each with the guard held ---- */

static void put_in(struct table *t, struct node *n)
{
    uint32_t at = (uint32_t)n->hash;
    while (t->slots[at & t->mask].node)
        at++;
    __atomic_store_n(&t->slots[at & t->mask].hash, n->hash, __ATOMIC_RELAXED);
    __atomic_store_n(&t->slots[at & t->mask].node, n, __ATOMIC_RELEASE);
}

/* A table with room for one more, and at most half full of what is alive. */
static int make_room(struct shard *s)
{
    struct table *old = s->table;
    if (old && s->used + 1 <= old->mask / 4 * 3)
        return 0;
    uint64_t size = TABLE_MIN;
    while (size / 2 < (uint64_t)s->live + 1)
        size *= 2;
    struct table *t = calloc(1, sizeof *t + size * sizeof(struct slot));
    if (!t)
        return -ENOMEM;
    t->mask = (uint32_t)size - 1;
    for (uint32_t i = 0; old && i <= old->mask; i++) {
        struct node *n = old->slots[i].node;
        if (n && n != &tombstone)
            put_in(t, n);
    }
    s->used = s->live;
    __atomic_store_n(&s->table, t, __ATOMIC_RELEASE);
    if (old)
        retire(s, &old->retired, true);
    return 0;
}

static struct node *new_node(const struct weft_cmap *map, const struct weft__key *key,
                             const void *value)
{
    if (key->size > UINT32_MAX)
        return NULL;
    struct node *n = malloc(sizeof *n + map->key_offset + key->size);
    if (!n)
        return NULL;
    n->hash = key->hash;
    n->key_size = (uint32_t)key->size;
    if (map->word) {
        uint64_t word = word_of(map, value);
        memcpy(n->bytes, &word, sizeof word);
    } else {
        memcpy(n->bytes, value, map->value_size);
    }
    memcpy(n->bytes + map->key_offset, key->bytes, key->size);
    return n;
}

static int insert(struct weft_cmap *map, struct shard *s, const struct weft__key *key,
                  const void *value)
{
    int r = make_room(s);
    struct node *n = r == 0 ? new_node(map, key, value) : NULL;
    if (!n)
        return -ENOMEM;
    n->born = s->births++;
    put_in(s->table, n);
    s->used++;
    __atomic_store_n(&s->live, s->live + 1, __ATOMIC_RELAXED);
    return 0;
}

static int replace(struct weft_cmap *map, struct shard *s, struct slot *slot, struct node *n,
                   const void *value)
{
    if (map->word) {
        __atomic_store_n((uint64_t *)(void *)n->bytes, word_of(map, value), __ATOMIC_RELEASE);
        return 0;
    }
    struct weft__key key = {n->bytes + map->key_offset, n->key_size, n->hash};
    struct node *other = new_node(map, &key, value);
    if (!other)
        return -ENOMEM;
    other->born = n->born;
    __atomic_store_n(&slot->node, other, __ATOMIC_RELEASE);
    retire(s, &n->retired, false);
    return 0;
}

static void erase(struct shard *s, struct slot *slot, struct node *n)
{
    __atomic_store_n(&slot->node, &tombstone, __ATOMIC_RELEASE);
    __atomic_store_n(&s->live, s->live - 1, __ATOMIC_RELAXED);
    retire(s, &n->retired, false);
}

/* ---- the public changes ---- */

int weft_cmap_store(struct weft_cmap *map, const void *key, const void *value)
{
    struct weft__key k = weft__key_of(&map->keys, key);
    struct shard *s = shard_of(map, k.hash);
    struct node *n;
    weft__lock(&s->guard);
    struct slot *slot = find_locked(map, s, &k, &n);
    int r = slot ? replace(map, s, slot, n, value) : insert(map, s, &k, value);
    unlock_and_reclaim(map, s);
    return r;
}

int weft_cmap_swap(struct weft_cmap *map, const void *key, const void *value, void *previous)
{
    struct weft__key k = weft__key_of(&map->keys, key);
    struct shard *s = shard_of(map, k.hash);
    struct node *n;
    int r;
    weft__lock(&s->guard);
    struct slot *slot = find_locked(map, s, &k, &n);
    if (slot) {
        read_value(map, n, previous);
        r = replace(map, s, slot, n, value);
        if (r != 0 && map->release)
            map->release(previous);
        r = r == 0 ? 1 : r;
    } else {
        r = insert(map, s, &k, value);
    }
    unlock_and_reclaim(map, s);
    return r;
}

int weft_cmap_load_or_store(struct weft_cmap *map, const void *key, const void *value, void *actual)
{
    struct weft__key k = weft__key_of(&map->keys, key);
    struct shard *s = shard_of(map, k.hash);
    struct node *n;
    if (load(map, &k, actual) == 0)
        return 1;
    weft__lock(&s->guard);
    int r = 1;
    if (!find_locked(map, s, &k, &n))
        r = insert(map, s, &k, value);
    else if (actual)
        read_value(map, n, actual);
    unlock_and_reclaim(map, s);
    return r;
}

int weft_cmap_load_and_delete(struct weft_cmap *map, const void *key, void *value)
{
    struct weft__key k = weft__key_of(&map->keys, key);
    struct shard *s = shard_of(map, k.hash);
    struct node *n;
    weft__lock(&s->guard);
    struct slot *slot = find_locked(map, s, &k, &n);
    if (slot && value)
        read_value(map, n, value);
    if (slot)
        erase(s, slot, n);
    unlock_and_reclaim(map, s);
    return slot ? 0 : -ENOENT;
}

int weft_cmap_delete(struct weft_cmap *map, const void *key)
{
    return weft_cmap_load_and_delete(map, key, NULL);
}

/* Whether the key is there with the value `old`: 0, -ENOENT, -ESTALE. */
static int compare(const struct weft_cmap *map, const struct slot *slot, const struct node *n,
                   const void *old)
{
    if (!slot)
        return -ENOENT;
    return memcmp(n->bytes, old, map->value_size) == 0 ? 0 : -ESTALE;
}

int weft_cmap_compare_and_swap(struct weft_cmap *map, const void *key, const void *old,
                               const void *value)
{
    struct weft__key k = weft__key_of(&map->keys, key);
    struct shard *s = shard_of(map, k.hash);
    struct node *n = NULL;
    weft__lock(&s->guard);
    struct slot *slot = find_locked(map, s, &k, &n);
    int r = compare(map, slot, n, old);
    if (r == 0)
        r = replace(map, s, slot, n, value);
    unlock_and_reclaim(map, s);
    return r;
}

int weft_cmap_compare_and_delete(struct weft_cmap *map, const void *key, const void *old)
{
    struct weft__key k = weft__key_of(&map->keys, key);
    struct shard *s = shard_of(map, k.hash);
    struct node *n = NULL;
    weft__lock(&s->guard);
    struct slot *slot = find_locked(map, s, &k, &n);
    int r = compare(map, slot, n, old);
    if (r == 0)
        erase(s, slot, n);
    unlock_and_reclaim(map, s);
    return r;
}

void weft_cmap_clear(struct weft_cmap *map)
{
    for (unsigned i = 0; i < map->shards; i++) {
        struct shard *s = &map->shard[i];
        weft__lock(&s->guard);
        struct table *t = s->table;
        for (uint32_t k = 0; t && k <= t->mask; k++) {
            struct node *n = t->slots[k].node;
            if (n && n != &tombstone)
                erase(s, &t->slots[k], n);
        }
        __atomic_store_n(&s->table, NULL, __ATOMIC_RELEASE);
        s->used = 0;
        if (t)
            retire(s, &t->retired, true);
        unlock_and_reclaim(map, s);
    }
}

/* ---- walking ---- */

/* Copies of the entries of a shard, one after another: a size, then the value and its key. */
struct snapshot {
    unsigned char *bytes;
    size_t used, room;
};

static bool add_copy(const struct weft_cmap *map, struct snapshot *snap, struct node *n)
{
    size_t size = map->key_offset + n->key_size;
    size_t total = (sizeof(struct node) + size + 15) & ~(size_t)15;
    if (snap->room - snap->used < total) {
        size_t room = (snap->room + total) * 2;
        unsigned char *bytes = realloc(snap->bytes, room);
        if (!bytes)
            return false;
        snap->bytes = bytes;
        snap->room = room;
    }
    struct node *copy = (struct node *)(void *)(snap->bytes + snap->used);
    copy->key_size = n->key_size;
    memcpy(copy->bytes + map->key_offset, n->bytes + map->key_offset, n->key_size);
    read_value(map, n, copy->bytes);
    snap->used += total;
    return true;
}

static int take_snapshot(struct weft_cmap *map, struct shard *s, struct snapshot *snap)
{
    bool ok = true;
    weft__lock(&s->guard);
    uint64_t births = s->births;
    weft__unlock(&s->guard);
    struct weft__reader *r = weft__read_enter();
    if (!r)
        return -ENOMEM;
    struct table *t = __atomic_load_n(&s->table, __ATOMIC_ACQUIRE);
    for (uint32_t i = 0; ok && t && i <= t->mask; i++) {
        struct node *n = __atomic_load_n(&t->slots[i].node, __ATOMIC_ACQUIRE);
        if (n && n != &tombstone && n->born < births)
            ok = add_copy(map, snap, n);
    }
    weft__read_leave(r);
    return ok ? 0 : -ENOMEM;
}

static int range_shard(struct weft_cmap *map, struct shard *s, struct snapshot *snap,
                       int (*fn)(const void *, void *, void *), void *arg)
{
    snap->used = 0;
    int r = take_snapshot(map, s, snap);
    for (size_t at = 0; at < snap->used;) {
        struct node *copy = (struct node *)(void *)(snap->bytes + at);
        at += (sizeof *copy + map->key_offset + copy->key_size + 15) & ~(size_t)15;
        if (r == 0)
            r = fn(copy->bytes + map->key_offset, copy->bytes, arg);
        if (map->release)
            map->release(copy->bytes);
    }
    return r;
}

int weft_cmap_range(struct weft_cmap *map, int (*fn)(const void *key, void *value, void *arg),
                    void *arg)
{
    struct snapshot snap = {0};
    int r = 0;
    for (unsigned i = 0; i < map->shards && r == 0; i++)
        r = range_shard(map, &map->shard[i], &snap, fn, arg);
    free(snap.bytes);
    return r;
}
