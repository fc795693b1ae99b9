/* map_test.c - the table from keys to records, alone and from several threads; the pool below. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "preload/core/map.h"

static struct pl_map map;
static int made;

static void *make(void *ctx)
{
    made++;
    return ctx;
}

static void keys_come_and_go(void **state)
{
    (void)state;
    int a, b;
    assert_int_equal(pl_map_init(&map, 2), 0); /* four buckets: chains */
    for (uint64_t key = 1; key <= 100; key++)
        assert_int_equal(pl_map_set(&map, key, key % 2 ? &a : &b), 0);
    for (uint64_t key = 1; key <= 100; key++)
        assert_ptr_equal(pl_map_find(&map, key), key % 2 ? &a : &b);
    assert_null(pl_map_find(&map, 101));
    assert_null(pl_map_take(&map, 7, &b)); /* has another value */
    for (uint64_t key = 1; key <= 100; key += 2)
        assert_ptr_equal(pl_map_take(&map, key, NULL), &a);
    for (uint64_t key = 1; key <= 100; key++)
        assert_ptr_equal(pl_map_find(&map, key), key % 2 ? NULL : &b);
    assert_int_equal(atomic_load(&map.count), 50);
}

/* What lies side by side is side by side in the table, each with a bucket of its own; pieces of
 * memory that are far from each other do not fall on one place. */
static void neighbours_have_buckets_side_by_side(void **state)
{
    (void)state;
    struct pl_map near = {.near = 1};
    assert_int_equal(pl_map_init(&near, 10), 0);
    for (uint64_t piece = 0; piece < 4; piece++)
        for (uint64_t i = 0; i < 64; i++)
            assert_int_equal(pl_map_set(&near, (piece << 40) + (i + 1) * 64, &near), 0);
    unsigned used = 0, runs = 0;
    for (unsigned i = 0; i < 1024; i++) {
        const unsigned before = used;
        used += atomic_load(&near.buckets[i].first) != NULL;
        runs += used != before && (i == 0 || atomic_load(&near.buckets[i - 1].first) == NULL);
    }
    assert_in_range(used, 3 * 64, 4 * 64);
    assert_in_range(runs, 1, 8);
    for (uint64_t i = 0; i < 64; i++)
        assert_ptr_equal(pl_map_take(&near, (i + 1) * 64, NULL), &near);
    assert_int_equal(atomic_load(&near.count), 3 * 64);
}

static void the_value_is_made_once(void **state)
{
    (void)state;
    int a, b;
    assert_int_equal(pl_map_init(&map, 4), 0);
    made = 0;
    assert_ptr_equal(pl_map_get(&map, 5, make, &a), &a);
    assert_ptr_equal(pl_map_get(&map, 5, make, &b), &a);
    assert_int_equal(made, 1);
    assert_null(pl_map_get(&map, 6, make, NULL));
    assert_null(pl_map_find(&map, 6));
}

#define THREADS 8
#define ROUNDS  20000

static void *churn(void *arg)
{
    uint64_t base = (uint64_t)(uintptr_t)arg << 32;
    for (uint64_t i = 1; i <= ROUNDS; i++) {
        uint64_t key = base + i % 64 + 1;
        void *value = (void *)(uintptr_t)key;
        if (pl_map_set(&map, key, value) != 0 || pl_map_find(&map, key) != value ||
            pl_map_take(&map, key, NULL) != value || pl_map_find(&map, key) != NULL)
            return arg;
    }
    return NULL;
}

static void *make_again(void *ctx)
{
    made = pl_map_set(&map, 5, ctx);
    return ctx;
}

static void who_has_the_bucket_does_not_wait_for_itself(void **state)
{
    (void)state;
    int a;
    assert_int_equal(pl_map_init(&map, 2), 0);
    assert_ptr_equal(pl_map_get(&map, 5, make_again, &a), &a);
    assert_int_equal(made, -1);
    assert_ptr_equal(pl_map_take(&map, 5, NULL), &a);
    assert_int_equal(atomic_load(&map.count), 0);
}

static void no_thread_s_entry_is_missed_or_left(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    assert_int_equal(pl_map_init(&map, 3), 0);
    for (uintptr_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, churn, (void *)(i + 1)), 0);
    for (int i = 0; i < THREADS; i++) {
        void *wrong;
        assert_int_equal(pthread_join(threads[i], &wrong), 0);
        assert_null(wrong);
    }
    assert_int_equal(atomic_load(&map.count), 0);
}

struct item {
    struct pl_pool_link link;
    _Atomic int owners;
};

static struct pl_pool pool = {.bytes = sizeof(struct item)};

static void *take_and_give(void *arg)
{
    for (int i = 0; i < ROUNDS; i++) {
        int fresh;
        struct item *item = pl_pool_get(&pool, &fresh);
        if (item == NULL || atomic_fetch_add(&item->owners, 1) != 0)
            return pool.bytes ? &pool : arg;
        atomic_fetch_sub(&item->owners, 1);
        pl_pool_put(&pool, item);
    }
    return NULL;
}

static void a_record_has_one_owner(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_and_give, NULL), 0);
    for (int i = 0; i < THREADS; i++) {
        void *wrong;
        assert_int_equal(pthread_join(threads[i], &wrong), 0);
        assert_null(wrong);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_come_and_go),
        cmocka_unit_test(neighbours_have_buckets_side_by_side),
        cmocka_unit_test(the_value_is_made_once),
        cmocka_unit_test(who_has_the_bucket_does_not_wait_for_itself),
        cmocka_unit_test(no_thread_s_entry_is_missed_or_left),
        cmocka_unit_test(a_record_has_one_owner),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
