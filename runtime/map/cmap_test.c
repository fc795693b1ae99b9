/* The concurrent map: its calls one by one, then many tasks at once against what must hold. */
#include <pthread.h>
#include <stdbool.h>

#include "runtime/test/check.h"

enum { TASKS = 8 };

static struct weft_cmap *map_of(size_t key_size, size_t value_size)
{
    struct weft_cmap_options o = {.key_size = key_size, .value_size = value_size};
    struct weft_cmap *map = weft_cmap_new(&o);
    CHECK(map);
    return map;
}

/* ---- one by one ---- */

/* The same with values of a word, of less, and of more. */
struct large {
    int64_t n, more[3];
};

static void each_call(size_t size)
{
    struct weft_cmap *map = map_of(0, size);
    struct large a = {1, {2, 3, 4}}, b = {5, {6, 7, 8}}, v;
    CHECK(weft_cmap_load(map, "k", &v) == -ENOENT && weft_cmap_load(map, "k", NULL) == -ENOENT);
    CHECK(weft_cmap_load_or_store(map, "k", &a, &v) == 0);
    memset(&v, 0, sizeof v);
    CHECK(weft_cmap_load_or_store(map, "k", &b, &v) == 1 && memcmp(&v, &a, size) == 0);
    CHECK(weft_cmap_load_or_store(map, "k", &b, NULL) == 1);
    CHECK(weft_cmap_store(map, "k", &b) == 0);
    CHECK(weft_cmap_load(map, "k", &v) == 0 && memcmp(&v, &b, size) == 0);
    CHECK(weft_cmap_compare_and_swap(map, "k", &a, &b) == -ESTALE);
    CHECK(weft_cmap_compare_and_swap(map, "l", &a, &b) == -ENOENT);
    CHECK(weft_cmap_compare_and_swap(map, "k", &b, &a) == 0);
    CHECK(weft_cmap_swap(map, "k", &b, &v) == 1 && memcmp(&v, &a, size) == 0);
    CHECK(weft_cmap_swap(map, "l", &a, &v) == 0 && weft_cmap_len(map) == 2);
    CHECK(weft_cmap_compare_and_delete(map, "l", &b) == -ESTALE);
    CHECK(weft_cmap_compare_and_delete(map, "l", &a) == 0);
    CHECK(weft_cmap_compare_and_delete(map, "l", &a) == -ENOENT);
    CHECK(weft_cmap_load_and_delete(map, "k", &v) == 0 && memcmp(&v, &b, size) == 0);
    CHECK(weft_cmap_load_and_delete(map, "k", &v) == -ENOENT &&
          weft_cmap_delete(map, "k") == -ENOENT);
    CHECK(weft_cmap_len(map) == 0);
    for (int i = 0; i < 3000; i++) {
        char key[16];
        snprintf(key, sizeof key, "%d", i);
        CHECK(weft_cmap_store(map, key, &a) == 0);
    }
    CHECK(weft_cmap_len(map) == 3000);
    weft_cmap_clear(map);
    CHECK(weft_cmap_len(map) == 0 && weft_cmap_load(map, "7", NULL) == -ENOENT);
    CHECK(weft_cmap_store(map, "7", &a) == 0 && weft_cmap_len(map) == 1);
    weft_cmap_free(map);
}

static void calls(void **state)
{
    (void)state;
    each_call(8);
    each_call(4);
    each_call(sizeof(struct large));
    struct weft_cmap_options half = {.key_size = 8, .value_size = 8, .release = free};
    CHECK(!weft_cmap_new(&half));
    weft_cmap_free(NULL);
}

/* ---- together ---- */

static struct {
    struct weft_cmap *map;
    struct weft_waitgroup wg;
    _Atomic int next, stop;
    _Atomic int64_t sum, owners;
} g;

static void in_tasks(void (*fn)(void *))
{
    g.next = 0;
    for (intptr_t i = 0; i < TASKS; i++)
        CHECK(weft_waitgroup_go(&g.wg, fn, (void *)i) == 0);
    weft_waitgroup_wait(&g.wg);
}

static void count_up(void *arg)
{
    (void)arg;
    for (uint64_t i = 0; i < 4000; i++) {
        uint64_t k = i % 97, old = 0;
        for (;;) {
            if (weft_cmap_load_or_store(g.map, &k, &(uint64_t){1}, &old) == 0)
                break;
            if (weft_cmap_compare_and_swap(g.map, &k, &old, &(uint64_t){old + 1}) == 0)
                break;
        }
        if (i % 64 == 0)
            weft_yield();
    }
}

static int add_up(const void *key, void *value, void *arg)
{
    (void)key;
    *(uint64_t *)arg += *(uint64_t *)value;
    return 0;
}

TASK_TEST(no_update_is_lost)
{
    uint64_t sum = 0;
    g.map = map_of(sizeof(uint64_t), sizeof(uint64_t));
    in_tasks(count_up);
    CHECK(weft_cmap_range(g.map, add_up, &sum) == 0 && sum == TASKS * 4000);
    CHECK(weft_cmap_len(g.map) == 97);
    weft_cmap_free(g.map);
}

/* Values larger than a word are never seen half written; keys come and go meanwhile. */
static struct large large_of(int64_t n)
{
    return (struct large){n, {n + 1, n * 3, ~n}};
}

static bool is_whole(const struct large *v)
{
    struct large whole = large_of(v->n);
    return memcmp(v, &whole, sizeof whole) == 0;
}

static int whole_entry(const void *key, void *value, void *arg)
{
    struct large v;
    memcpy(&v, value, sizeof v);
    CHECK(is_whole(&v) && ((const char *)key)[0] == 'k');
    (void)arg;
    return 0;
}

static void change(void *arg)
{
    uint32_t seed = (uint32_t)(uintptr_t)arg * 7919 + 1;
    for (int i = 0; i < 6000; i++) {
        char key[16];
        seed = seed * 1664525 + 1013904223;
        snprintf(key, sizeof key, "k%u", seed >> 16 & 255);
        struct large v = large_of(i);
        switch (seed >> 8 & 7) {
        case 0:
            weft_cmap_delete(g.map, key);
            break;
        case 1:
        case 2:
            CHECK(weft_cmap_store(g.map, key, &v) == 0);
            break;
        case 3:
            if (i % 32 == 0)
                CHECK(weft_cmap_range(g.map, whole_entry, NULL) == 0);
            break;
        default:
            CHECK(weft_cmap_load(g.map, key, &v) != 0 || is_whole(&v));
        }
        if (i % 128 == 0)
            weft_yield();
    }
}

TASK_TEST(values_are_whole)
{
    g.map = map_of(0, sizeof(struct large));
    in_tasks(change);
    weft_cmap_free(g.map);
}

/* Counted values: each is freed once, and never while somebody has it. */
struct counted {
    _Atomic int refs;
    int64_t n, same;
};

static void counted_retain(void *value)
{
    struct counted *c = *(struct counted **)value;
    CHECK(c->refs++ > 0);
}

static void counted_release(void *value)
{
    struct counted *c = *(struct counted **)value;
    if (--c->refs == 0) {
        c->same = -1;
        free(c);
        g.owners--;
    }
}

static struct counted *counted_new(int64_t n)
{
    struct counted *c = malloc(sizeof *c);
    *c = (struct counted){1, n, n};
    g.owners++;
    return c;
}

static void pass_around(void *arg)
{
    (void)arg;
    for (int i = 0; i < 3000; i++) {
        int key = i % 13;
        struct counted *mine = counted_new(i), *seen;
        if (i % 3 == 0) {
            CHECK(weft_cmap_store(g.map, &key, &mine) == 0);
        } else if (i % 7 == 0) {
            if (weft_cmap_swap(g.map, &key, &mine, &seen) == 1)
                counted_release(&seen);
        } else if (i % 5 == 0) {
            if (weft_cmap_load_and_delete(g.map, &key, &seen) == 0) {
                CHECK(seen->n == seen->same);
                counted_release(&seen);
            }
            counted_release(&mine);
        } else {
            if (weft_cmap_load(g.map, &key, &seen) == 0) {
                weft_yield();
                CHECK(seen->n == seen->same);
                counted_release(&seen);
            }
            counted_release(&mine);
        }
    }
}

TASK_TEST(owners_are_counted)
{
    struct weft_cmap_options o = {.key_size = sizeof(int),
                                  .value_size = sizeof(void *),
                                  .retain = counted_retain,
                                  .release = counted_release};
    g.map = weft_cmap_new(&o);
    in_tasks(pass_around);
    weft_cmap_free(g.map);
    CHECK(g.owners == 0);
}

/* Each has keys of its own, which nobody else stores: one is there with the value stored last, or
 * was cleared since. */
static void store_own(void *arg)
{
    for (int64_t i = 1; i <= 2000; i++) {
        int key = (int)(intptr_t)arg * 100 + (int)(i % 50);
        struct counted *mine = counted_new(i), *seen;
        CHECK(weft_cmap_store(g.map, &key, &mine) == 0);
        if (i % 16 == 0)
            weft_yield();
        if (weft_cmap_load(g.map, &key, &seen) == 0) {
            CHECK(seen->n == i && seen->same == i);
            counted_release(&seen);
        }
    }
    g.next++;
}

static void clear_meanwhile(void *arg)
{
    (void)arg;
    while (g.next < TASKS) {
        weft_cmap_clear(g.map);
        weft_yield();
    }
}

TASK_TEST(stores_beside_clears)
{
    struct weft_cmap_options o = {.key_size = sizeof(int),
                                  .value_size = sizeof(void *),
                                  .retain = counted_retain,
                                  .release = counted_release};
    g.map = weft_cmap_new(&o);
    g.next = 0;
    CHECK(weft_waitgroup_go(&g.wg, clear_meanwhile, NULL) == 0);
    in_tasks(store_own);
    size_t found = 0;
    for (int key = 0; key < TASKS * 100; key++) {
        struct counted *seen;
        if (weft_cmap_load(g.map, &key, &seen) == 0) {
            found++;
            counted_release(&seen);
        }
    }
    CHECK(weft_cmap_len(g.map) == found);
    weft_cmap_clear(g.map);
    CHECK(weft_cmap_len(g.map) == 0);
    weft_cmap_free(g.map);
    CHECK(g.owners == 0);
}

/* A key that is always in is seen by each walk, and none is seen twice. */
static int mark_seen(const void *key, void *value, void *arg)
{
    int k = *(const int *)key;
    (void)value;
    CHECK(++((int *)arg)[k] == 1);
    weft_yield();
    return 0;
}

static void come_and_go(void *arg)
{
    int key = 100 + (int)(intptr_t)arg;
    while (!g.stop) {
        CHECK(weft_cmap_store(g.map, &key, &key) == 0);
        weft_yield();
        CHECK(weft_cmap_delete(g.map, &key) == 0);
    }
}

TASK_TEST(a_walk_sees_each_key_once)
{
    g.map = map_of(sizeof(int), sizeof(int));
    g.stop = 0;
    for (int k = 0; k < 100; k++)
        CHECK(weft_cmap_store(g.map, &k, &k) == 0);
    for (intptr_t i = 0; i < TASKS; i++)
        CHECK(weft_waitgroup_go(&g.wg, come_and_go, (void *)i) == 0);
    for (int i = 0; i < 50; i++) {
        int seen[100 + TASKS] = {0};
        CHECK(weft_cmap_range(g.map, mark_seen, seen) == 0);
        for (int k = 0; k < 100; k++)
            CHECK(seen[k] == 1);
    }
    g.stop = 1;
    weft_waitgroup_wait(&g.wg);
    weft_cmap_free(g.map);
}

/* ---- plain threads, which come and go ---- */

static void *by_thread(void *arg)
{
    change(arg);
    return NULL;
}

static void plain_threads(void **state)
{
    (void)state;
    g.map = map_of(0, sizeof(struct large));
    for (int round = 0; round < 5; round++) {
        pthread_t threads[TASKS];
        for (intptr_t i = 0; i < TASKS; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, by_thread, (void *)i), 0);
        for (int i = 0; i < TASKS; i++)
            pthread_join(threads[i], NULL);
    }
    weft_cmap_free(g.map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls),
        cmocka_unit_test(no_update_is_lost),
        cmocka_unit_test(values_are_whole),
        cmocka_unit_test(owners_are_counted),
        cmocka_unit_test(stores_beside_clears),
        cmocka_unit_test(a_walk_sees_each_key_once),
        cmocka_unit_test(plain_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
