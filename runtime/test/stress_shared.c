/* The stress of what tasks share: the concurrent map and the pool. */
#include "runtime/test/stress.h"

/* ---- a map of counts: what is added is in the map or was taken out, whoever adds and takes ----
 */

enum { ADDERS = 10, ADDITIONS = 600, COUNT_KEYS = 5 };

struct counts {
    struct weft_cmap *map;
    struct weft_waitgroup wg;
    uint32_t seed;
    _Atomic uint32_t next;
    _Atomic uint64_t taken;
};

/* Adds one to the key's count, which may go away meanwhile. */
static void add_one(struct weft_cmap *map, const char *key)
{
    uint64_t count;
    for (;;) {
        int r = weft_cmap_load_or_store(map, key, &(uint64_t){1}, &count);
        CHECK(r == 0 || (r == 1 && count > 0));
        if (r == 0)
            return;
        r = weft_cmap_compare_and_swap(map, key, &count, &(uint64_t){count + 1});
        CHECK(r == 0 || r == -ESTALE || r == -ENOENT);
        if (r == 0)
            return;
    }
}

static uint64_t take_all_of(struct weft_cmap *map, const char *key, uint32_t how)
{
    uint64_t count = 0;
    if (how % 2)
        return weft_cmap_load_and_delete(map, key, &count) == 0 ? count : 0;
    if (weft_cmap_load(map, key, &count) != 0)
        return 0;
    return weft_cmap_compare_and_delete(map, key, &count) == 0 ? count : 0;
}

static void add_and_take(void *arg)
{
    struct counts *c = arg;
    uint32_t random = c->seed + c->next++;
    for (int i = 0; i < ADDITIONS; i++) {
        char key[] = {'k', (char)('a' + next_random(&random) % COUNT_KEYS), 0};
        uint32_t how = next_random(&random) % 32;
        add_one(c->map, key);
        if (how < 12)
            c->taken += take_all_of(c->map, key, how);
        if (how == 12)
            weft_yield();
    }
}

struct sum {
    uint64_t all;
    bool seen[COUNT_KEYS];
};

static int sum_up(const void *key, void *value, void *arg)
{
    struct sum *sum = arg;
    int k = ((const char *)key)[1] - 'a';
    CHECK(((const char *)key)[0] == 'k' && k >= 0 && k < COUNT_KEYS && !sum->seen[k]);
    sum->seen[k] = true;
    sum->all += *(uint64_t *)value;
    return 0;
}

void stress_counts(void *arg)
{
    struct weft_cmap_options options = {.key_size = 0, .value_size = sizeof(uint64_t)};
    struct counts *c = calloc(1, sizeof *c);
    struct sum left = {0};
    c->seed = *(uint32_t *)arg;
    c->map = weft_cmap_new(&options);
    for (int i = 0; i < ADDERS; i++)
        CHECK(weft_waitgroup_go(&c->wg, add_and_take, c) == 0);
    weft_waitgroup_wait(&c->wg);
    CHECK(weft_cmap_range(c->map, sum_up, &left) == 0);
    CHECK(left.all + c->taken == (uint64_t)ADDERS * ADDITIONS);
    weft_cmap_free(c->map);
    free(c);
}

/* ---- a map of versions: each key has one writer; who reads sees what was written, in order ----
 */

/* The first keys of a writer stay in the map for good, the others come and go. */
enum { WRITERS = 4, READERS = 4, KEYS_EACH = 48, STAYING = 8, WRITES = 1000, WALK_EVERY = 256 };
enum { KEYS = WRITERS * KEYS_EACH };

/* What the map holds is a pointer to one. Its last owner frees it. */
struct version {
    _Atomic int owners;
    uint64_t key, number;
};

struct versions {
    struct weft_cmap *map;
    struct weft_waitgroup writers, readers;
    uint32_t seed;
    _Atomic uint32_t next_writer, next_reader;
    _Atomic int done;
};

static _Atomic int64_t versions_alive;

static struct version *new_version(uint64_t key, uint64_t number)
{
    struct version *v = malloc(sizeof *v);
    *v = (struct version){1, key, number};
    versions_alive++;
    return v;
}

static void own_version(void *value)
{
    CHECK((*(struct version **)value)->owners++ > 0);
}

static void end_version(void *value)
{
    struct version *v = *(struct version **)value;
    int owners = v->owners--;
    CHECK(owners > 0);
    if (owners == 1) {
        v->key = UINT64_MAX;
        free(v);
        versions_alive--;
    }
}

/* What the only writer of a key reads is what it wrote: `number`, or nothing if that is 0. */
static void check_own(struct weft_cmap *map, uint64_t key, uint64_t number)
{
    struct version *v;
    int r = weft_cmap_load(map, &key, &v);
    CHECK(r == (number ? 0 : -ENOENT));
    if (r == 0) {
        CHECK(v->key == key && v->number == number);
        end_version(&v);
    }
}

/* Ends the writer's life of a key, which had `number`. */
static void delete_own(struct weft_cmap *map, uint64_t key, uint64_t number, uint32_t how)
{
    struct version *v = NULL;
    int r = how % 2 ? weft_cmap_delete(map, &key) : weft_cmap_load_and_delete(map, &key, &v);
    CHECK(r == (number ? 0 : -ENOENT));
    if (v) {
        CHECK(v->key == key && v->number == number);
        end_version(&v);
    }
}

static void write_own(struct weft_cmap *map, uint64_t key, uint64_t before, uint64_t number,
                      uint32_t how)
{
    struct version *v = new_version(key, number), *old;
    if (how % 2) {
        CHECK(weft_cmap_store(map, &key, &v) == 0);
        return;
    }
    int r = weft_cmap_swap(map, &key, &v, &old);
    CHECK(r == (before ? 1 : 0));
    if (r == 1) {
        CHECK(old->key == key && old->number == before);
        end_version(&old);
    }
}

static void write_versions(void *arg)
{
    struct versions *all = arg;
    uint64_t first = all->next_writer++ * KEYS_EACH, number[KEYS_EACH] = {0};
    uint32_t random = all->seed + (uint32_t)first;
    for (uint64_t k = 0; k < STAYING; k++)
        number[k] = 1; /* stored before there were readers */
    for (uint64_t i = 2; i < WRITES; i++) {
        uint32_t k = next_random(&random) % KEYS_EACH, how = next_random(&random) % 16;
        if (k >= STAYING && how < 6) {
            delete_own(all->map, first + k, number[k], how);
            number[k] = 0;
        } else {
            write_own(all->map, first + k, number[k], i, how);
            number[k] = i;
        }
        check_own(all->map, first + k, number[k]);
        if (how == 15)
            weft_yield();
    }
    for (uint64_t k = STAYING; k < KEYS_EACH; k++)
        if (number[k])
            delete_own(all->map, first + k, number[k], 0);
}

/* What a reader has seen of each key. */
struct seen {
    uint64_t number[KEYS];
    bool in_walk[KEYS];
};

static void see(struct seen *seen, uint64_t key, const struct version *v)
{
    CHECK(key < KEYS && v->key == key);
    CHECK(v->number >= seen->number[key]);
    seen->number[key] = v->number;
}

static int see_in_walk(const void *key, void *value, void *arg)
{
    struct seen *seen = arg;
    uint64_t k;
    memcpy(&k, key, sizeof k);
    CHECK(k < KEYS && !seen->in_walk[k]);
    CHECK((*(struct version **)value)->key == k);
    seen->in_walk[k] = true;
    return 0;
}

static void walk(struct weft_cmap *map, struct seen *seen)
{
    memset(seen->in_walk, 0, sizeof seen->in_walk);
    CHECK(weft_cmap_range(map, see_in_walk, seen) == 0);
    for (int k = 0; k < KEYS; k++)
        CHECK(seen->in_walk[k] || k % KEYS_EACH >= STAYING);
}

static void read_versions(void *arg)
{
    struct versions *all = arg;
    uint32_t random = all->seed + 7919 * ++all->next_reader;
    struct seen *seen = calloc(1, sizeof *seen);
    for (uint32_t i = 0; !all->done; i++) {
        uint64_t key = next_random(&random) % KEYS;
        struct version *v;
        int r = weft_cmap_load(all->map, &key, &v);
        CHECK(r == 0 || (r == -ENOENT && key % KEYS_EACH >= STAYING));
        if (r == 0) {
            see(seen, key, v);
            end_version(&v);
        }
        if (i % WALK_EVERY == 0)
            walk(all->map, seen);
        if (i % 16 == 0)
            weft_yield();
    }
    walk(all->map, seen);
    free(seen);
}

/* The same by a thread that is not a worker's. */
static void read_outside(void *arg)
{
    CHECK(weft_blocking(read_versions, arg) == 0);
}

void stress_versions(void *arg)
{
    struct weft_cmap_options options = {.key_size = sizeof(uint64_t),
                                        .value_size = sizeof(struct version *),
                                        .retain = own_version,
                                        .release = end_version};
    struct versions *all = calloc(1, sizeof *all);
    all->seed = *(uint32_t *)arg;
    all->map = weft_cmap_new(&options);
    for (uint64_t k = 0; k < KEYS; k++) {
        struct version *v = new_version(k, 1);
        if (k % KEYS_EACH < STAYING)
            CHECK(weft_cmap_store(all->map, &k, &v) == 0);
        else
            end_version(&v);
    }
    for (int i = 0; i < READERS; i++)
        CHECK(weft_waitgroup_go(&all->readers, i % 2 ? read_versions : read_outside, all) == 0);
    for (int i = 0; i < WRITERS; i++)
        CHECK(weft_waitgroup_go(&all->writers, write_versions, all) == 0);
    weft_waitgroup_wait(&all->writers);
    all->done = 1;
    weft_waitgroup_wait(&all->readers);
    CHECK(weft_cmap_len(all->map) == WRITERS * STAYING);
    weft_cmap_free(all->map);
    free(all);
}

/* ---- pools: each object has one owner, and ends once ---- */

enum { USERS = 8, ROUNDS = 80, AT_ONCE = 80, TRIMS = 25 };

struct tool {
    struct tools *of;
    _Atomic int out;
    uint32_t user; /* written by whoever has it */
    bool used;     /* by somebody, since it was reset */
};

struct tools {
    struct weft_pool *pool;
    struct weft_chan *passed_on;
    struct weft_waitgroup users, others;
    uint32_t seed;
    _Atomic uint32_t next;
    _Atomic int done;
    _Atomic int64_t made, ended, dropped;
};

static void *make_tool(void *arg)
{
    struct tools *t = arg;
    struct tool *tool = calloc(1, sizeof *tool);
    tool->of = t;
    t->made++;
    return tool;
}

static void reset_tool(void *object)
{
    struct tool *tool = object;
    CHECK(tool->out == 0 && tool->used);
    tool->used = false;
}

static void end_tool(void *object)
{
    struct tool *tool = object;
    CHECK(tool->out == 0);
    tool->of->ended++;
    tool->out = -1;
    free(tool);
}

static struct tool *get_tool(struct tools *t, uint32_t user)
{
    struct tool *tool = weft_pool_get(t->pool);
    CHECK(tool && tool->of == t && tool->out++ == 0 && !tool->used);
    tool->user = user;
    tool->used = true;
    return tool;
}

static void put_tool(struct tools *t, struct tool *tool)
{
    CHECK(tool->out-- == 1);
    weft_pool_put(t->pool, tool);
}

/* To the pool, to another task, or nowhere. */
static void part_with(struct tools *t, struct tool *tool, uint32_t how)
{
    if (how == 0) {
        t->dropped++;
        free(tool);
    } else if (how > 8 || weft_chan_try_send(t->passed_on, &tool) != 0) {
        put_tool(t, tool);
    }
}

static void use_tools(void *arg)
{
    struct tools *t = arg;
    uint32_t me = t->next++, random = t->seed + me;
    struct tool *mine[AT_ONCE];
    for (int i = 0; i < ROUNDS; i++) {
        uint32_t count = next_random(&random) % AT_ONCE, how = next_random(&random) % 8;
        for (uint32_t k = 0; k < count; k++)
            mine[k] = get_tool(t, me);
        if (how < 3)
            weft_yield();
        if (how == 3)
            weft_sleep(10 * WEFT_US);
        for (uint32_t k = 0; k < count; k++) {
            CHECK(mine[k]->out == 1 && mine[k]->user == me && mine[k]->used);
            part_with(t, mine[k], next_random(&random) % 64);
        }
    }
}

static void use_outside(void *arg)
{
    CHECK(weft_blocking(use_tools, arg) == 0);
}

static void put_passed_on(void *arg)
{
    struct tools *t = arg;
    for (struct tool *tool; weft_chan_recv(t->passed_on, &tool) == 0;)
        put_tool(t, tool);
}

static void trim_often(void *arg)
{
    struct tools *t = arg;
    for (int i = 0; i < TRIMS && !t->done; i++) {
        weft_pool_trim(i % 4 ? t->pool : NULL);
        weft_sleep(100 * WEFT_US);
    }
}

void stress_pools(void *arg)
{
    struct tools *t = calloc(1, sizeof *t);
    struct weft_pool_options options = {
        .make = make_tool, .reset = reset_tool, .destroy = end_tool, .arg = t};
    t->seed = *(uint32_t *)arg;
    t->pool = weft_pool_new(&options);
    t->passed_on = weft_chan_new(sizeof(struct tool *), 8);
    for (int i = 0; i < 2; i++)
        CHECK(weft_waitgroup_go(&t->others, put_passed_on, t) == 0);
    CHECK(weft_waitgroup_go(&t->others, trim_often, t) == 0);
    for (int i = 0; i < USERS; i++)
        CHECK(weft_waitgroup_go(&t->users, i % 4 ? use_tools : use_outside, t) == 0);
    weft_waitgroup_wait(&t->users);
    t->done = 1;
    weft_chan_close(t->passed_on);
    weft_waitgroup_wait(&t->others);
    weft_pool_free(t->pool);
    CHECK(t->ended + t->dropped == t->made);
    weft_chan_release(t->passed_on);
    free(t);
}
