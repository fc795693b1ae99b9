/* Workloads of what tasks share: groups, flights, pools, maps, scopes. */
#include "bench/weft/bench.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

enum { TASKS = 16, KEYS = 1024, OWN_KEYS = 64, BUFFER = 4096 };

/* The operations shared out among tasks; each knows its number. */
static long per_task;

static void among(void (*work)(void *number))
{
    per_task = bench_n / TASKS;
    for (long i = 0; i < TASKS; i++)
        weft_waitgroup_go(&bench_group, work, (void *)i);
    weft_waitgroup_wait(&bench_group);
}

/* ---- groups and flights ---- */

static int member(void *arg)
{
    (void)arg;
    return 0;
}

static void groups(int64_t limit)
{
    for (long i = 0; i < bench_n; i += 1000) {
        struct weft_group group = {0};
        weft_group_set_limit(&group, limit);
        for (int k = 0; k < 1000; k++)
            weft_group_go(&group, member, NULL);
        weft_group_wait(&group);
    }
}

static void group(void)
{
    groups(-1);
}

static void group_limit(void)
{
    groups(16);
}

static struct weft_flight *flight;

static int fetch(void *arg, void *result)
{
    (void)arg;
    weft_yield();
    *(long *)result = 1;
    return 0;
}

static int fetch_at_once(void *arg, void *result)
{
    (void)arg;
    *(long *)result = 1;
    return 0;
}

static void ask(void *number)
{
    (void)number;
    for (long i = 0, v; i < per_task; i++) {
        weft_flight_do(flight, "key", fetch, NULL, &v, NULL);
        bench_sink += v;
    }
}

static void new_flight(void)
{
    struct weft_flight_options o = {.value_size = sizeof(long)};
    flight = weft_flight_new(&o);
}

static void flight_alone(void)
{
    new_flight();
    for (long i = 0, v; i < bench_n; i++) {
        weft_flight_do(flight, "key", fetch_at_once, NULL, &v, NULL);
        bench_sink += v;
    }
}

static void flight_16(void)
{
    new_flight();
    among(ask);
}

/* ---- pools ---- */

static struct weft_pool *pool;

static void new_pool(void)
{
    struct weft_pool_options o = {.size = BUFFER};
    pool = weft_pool_new(&o);
}

static void use_pool(long count)
{
    for (long i = 0; i < count; i++) {
        char *buffer = weft_pool_get(pool);
        buffer[i % BUFFER] = 1;
        weft_pool_put(pool, buffer);
    }
}

static void pool_alone(void)
{
    new_pool();
    use_pool(bench_n);
}

/* Each task has a buffer over a yield. */
static void use_buffer(void *number)
{
    (void)number;
    for (long i = 0; i < per_task; i++) {
        char *buffer = weft_pool_get(pool);
        buffer[i % BUFFER] = 1;
        weft_yield();
        weft_pool_put(pool, buffer);
    }
}

static void pool_16(void)
{
    new_pool();
    among(use_buffer);
}

static void use_fresh(void *number)
{
    (void)number;
    for (long i = 0; i < per_task; i++) {
        char *buffer = calloc(1, BUFFER);
        buffer[i % BUFFER] = 1;
        weft_yield();
        free(buffer);
    }
}

static void buffers_16(void)
{
    among(use_fresh);
}

/* ---- maps: the concurrent one, and the plain one under a mutex ---- */

static struct weft_cmap *cmap;
static struct weft_map *map;
static struct weft_mutex mutex;
static bool plain;

static void store(uint64_t key, uint64_t value)
{
    if (!plain) {
        weft_cmap_store(cmap, &key, &value);
        return;
    }
    weft_mutex_lock(&mutex);
    weft_map_set(map, &key, &value);
    weft_mutex_unlock(&mutex);
}

static uint64_t load(uint64_t key)
{
    uint64_t value = 0, *found;
    if (!plain) {
        weft_cmap_load(cmap, &key, &value);
        return value;
    }
    weft_mutex_lock(&mutex);
    found = weft_map_get(map, &key);
    if (found)
        value = *found;
    weft_mutex_unlock(&mutex);
    return value;
}

/* One in 100 stores, to a key that is there. */
static void read_fixed(void *number)
{
    uint64_t key = (uint64_t)(long)number, sum = 0;
    for (long i = 0; i < per_task; i++) {
        key = (key * 25214903917 + 11) % KEYS;
        if (i % 100 == 0)
            store(key, key);
        else
            sum += load(key);
    }
    bench_sink += (long)sum;
}

/* One in 100 adds a key of the task's own. */
static void read_growing(void *number)
{
    uint64_t key = (uint64_t)(long)number, sum = 0, fresh = (key + 1) << 32;
    for (long i = 0; i < per_task; i++) {
        key = (key * 25214903917 + 11) % KEYS;
        if (i % 100 == 0)
            store(fresh++, key);
        else
            sum += load(key);
    }
    bench_sink += (long)sum;
}

/* Nine in ten store. */
static void write_fixed(void *number)
{
    uint64_t key = (uint64_t)(long)number, sum = 0;
    for (long i = 0; i < per_task; i++) {
        key = (key * 25214903917 + 11) % KEYS;
        if (i % 10 != 0)
            store(key, key);
        else
            sum += load(key);
    }
    bench_sink += (long)sum;
}

/* Each task has keys of its own, and stores and loads them in turn. */
static void own_keys(void *number)
{
    uint64_t first = (uint64_t)(long)number * OWN_KEYS, sum = 0;
    for (long i = 0; i < per_task; i++) {
        uint64_t key = first + (uint64_t)i / 2 % OWN_KEYS;
        if (i % 2 == 0)
            store(key, key);
        else
            sum += load(key);
    }
    bench_sink += (long)sum;
}

static void with_map(bool under_mutex, void (*work)(void *number))
{
    struct weft_cmap_options o = {.key_size = sizeof(uint64_t), .value_size = sizeof(uint64_t)};
    plain = under_mutex;
    cmap = weft_cmap_new(&o);
    map = weft_map_new(sizeof(uint64_t), sizeof(uint64_t));
    for (uint64_t key = 0; key < KEYS; key++)
        store(key, key);
    among(work);
}

#define MAP_WORKLOADS(X) X(read_fixed) X(read_growing) X(write_fixed) X(own_keys)
#define X(name)                                                                                    \
    static void cmap_##name(void)                                                                  \
    {                                                                                              \
        with_map(false, name);                                                                     \
    }                                                                                              \
    static void map_##name(void)                                                                   \
    {                                                                                              \
        with_map(true, name);                                                                      \
    }
MAP_WORKLOADS(X)
#undef X

/* ---- scopes ---- */

static void unlock(void *arg)
{
    weft_mutex_unlock(arg);
}

static __attribute__((noinline)) void locked(void)
{
    weft_mutex_lock(&mutex);
    WEFT_DEFER(unlock, &mutex);
    bench_sink++;
}

static void defer(void)
{
    for (long i = 0; i < bench_n; i++)
        locked();
}

static void count(void *arg)
{
    bench_sink += (long)arg;
}

static __attribute__((noinline)) void pile_up(long times)
{
    WEFT_DEFERS(scope);
    for (long i = 0; i < times; i++)
        weft_defer(&scope, count, (void *)i);
}

static void defer_loop(void)
{
    for (long i = 0; i < bench_n; i += 1000)
        pile_up(1000);
}

const struct bench_workload bench_shared[] = {
    {"group", group},
    {"group_limit", group_limit},
    {"flight_alone", flight_alone},
    {"flight_16", flight_16},
    {"pool_alone", pool_alone},
    {"pool_16", pool_16},
    {"buffers_16", buffers_16},
#define X(name) {"cmap_" #name, cmap_##name}, {"map_" #name, map_##name},
    MAP_WORKLOADS(X)
#undef X
        {"defer", defer},
    {"defer_loop", defer_loop},
    {NULL, NULL},
};
