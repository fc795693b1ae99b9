/* The plain map, against a model; its walks; its memory. */
#include "runtime/map/hash.h"
#include "runtime/test/check.h"

enum { KEYS = 2000, STEPS = 200000 };

static uint64_t state_of_random = 88172645463325252u;

static uint32_t draw(uint32_t below)
{
    state_of_random ^= state_of_random << 13;
    state_of_random ^= state_of_random >> 7;
    state_of_random ^= state_of_random << 17;
    return (uint32_t)(state_of_random >> 33) % below;
}

static int64_t model[KEYS]; /* 0: not in */

static int compare_entry(const void *key, void *value, void *arg)
{
    uint64_t k;
    int64_t v;
    memcpy(&k, key, sizeof k);
    memcpy(&v, value, sizeof v);
    CHECK(k < KEYS && model[k] == v);
    ++*(size_t *)arg;
    return 0;
}

static void compare_all(struct weft_map *map)
{
    size_t live = 0, seen = 0;
    for (uint64_t k = 0; k < KEYS; k++) {
        int64_t *v = weft_map_get(map, &k);
        CHECK(model[k] ? v && *v == model[k] : !v);
        live += model[k] != 0;
    }
    CHECK(weft_map_len(map) == live);
    CHECK(weft_map_range(map, compare_entry, &seen) == 0);
    CHECK(seen == live);
}

static void against_a_model(void **state)
{
    (void)state;
    struct weft_map *map = weft_map_new(sizeof(uint64_t), sizeof(int64_t));
    memset(model, 0, sizeof model);
    for (int64_t i = 1; i <= STEPS; i++) {
        /* The range of keys swells and shrinks, so the table grows, empties and is made anew. */
        uint64_t k = draw((uint32_t)(i / 1000 % 2 ? KEYS : 50));
        if (draw(100) < 55) {
            CHECK(weft_map_set(map, &k, &i) == 0);
            model[k] = i;
        } else {
            CHECK(weft_map_delete(map, &k) == (model[k] ? 0 : -ENOENT));
            model[k] = 0;
        }
        if (i % 9973 == 0)
            compare_all(map);
    }
    compare_all(map);
    weft_map_free(map);
}

static void strings_and_blobs(void **state)
{
    (void)state;
    struct weft_map *map = weft_map_new(0, sizeof(int));
    char name[64];
    for (int i = 0; i < 5000; i++) {
        snprintf(name, sizeof name, "%.*s%d", i % 40, "a long name of a key that is a string", i);
        CHECK(weft_map_set(map, name, &i) == 0);
    }
    for (int i = 0; i < 5000; i++) {
        snprintf(name, sizeof name, "%.*s%d", i % 40, "a long name of a key that is a string", i);
        int *v = weft_map_get(map, name);
        CHECK(v && *v == i);
        if (i % 2)
            CHECK(weft_map_delete(map, name) == 0);
    }
    CHECK(weft_map_len(map) == 2500);
    CHECK(!weft_map_get(map, "") && weft_map_set(map, "", &(int){7}) == 0);
    CHECK(*(int *)weft_map_get(map, "") == 7);
    weft_map_free(map);

    for (size_t size = 1; size < 70; size++) {
        unsigned char key[70] = {0};
        map = weft_map_new(size, 0);
        for (int i = 0; i < 256; i++) {
            key[size - 1] = (unsigned char)i;
            key[0] = (unsigned char)i;
            CHECK(weft_map_set(map, key, NULL) == 0);
            CHECK(weft_map_get(map, key) != NULL);
        }
        CHECK(weft_map_len(map) == 256);
        weft_map_free(map);
    }
    weft_map_free(NULL);
}

struct order {
    struct weft_map *map;
    int next;
};

static int in_order(const void *key, void *value, void *arg)
{
    struct order *o = arg;
    int k = *(const int *)key, v = *(int *)value;
    CHECK(k == o->next && v == k * 2);
    o->next++;
    if (k < 1000) { /* deleted and added to while it goes on */
        int later = k + 1000;
        CHECK(weft_map_delete(o->map, &k) == 0);
        CHECK(weft_map_set(o->map, &later, &(int){later * 2}) == 0);
    }
    return o->next == 1900 ? 42 : 0;
}

static void a_walk_may_change_the_map(void **state)
{
    (void)state;
    struct order o = {.map = weft_map_new(sizeof(int), sizeof(int))};
    for (int i = 0; i < 1000; i++)
        CHECK(weft_map_set(o.map, &i, &(int){i * 2}) == 0);
    CHECK(weft_map_range(o.map, in_order, &o) == 42);
    CHECK(o.next == 1900 && weft_map_len(o.map) == 1000);
    weft_map_free(o.map);
}

/* Setting and deleting for long does not make it larger. */
static void holes_are_used_again(void **state)
{
    (void)state;
    struct weft_map *map = weft_map_new(sizeof(uint64_t), sizeof(uint64_t));
    void *first = NULL;
    for (uint64_t k = 0; k < 1000000; k++) {
        CHECK(weft_map_set(map, &k, &k) == 0);
        if (k >= 10)
            CHECK(weft_map_delete(map, &(uint64_t){k - 10}) == 0);
        if (k == 1000)
            first = weft_map_get(map, &k);
    }
    uint64_t last = 999999;
    char *there = weft_map_get(map, &last);
    CHECK(there > (char *)first - 4096 && there < (char *)first + 4096);
    weft_map_free(map);
}

/* Pairs of 4096 keys, 2^apart from one to the next, that share one of 8192 places: the low bits of
 * the hash, as in a table, or the high ones, as in a shard. */
static unsigned pairs_together(uint64_t seed, unsigned apart, unsigned shift)
{
    static uint16_t held[8192];
    const struct weft__keys keys = {.size = sizeof(uint64_t), .seed = seed};
    unsigned pairs = 0;
    memset(held, 0, sizeof held);
    for (uint64_t i = 0; i < 4096; i++)
        pairs += held[weft__hash_word(&keys, i << apart) >> shift & 8191]++;
    return pairs;
}

/* By chance 1024 such pairs are to be expected, give or take 32. */
static void keys_far_apart_are_spread(void **state)
{
    (void)state;
    for (int maps = 0; maps < 5; maps++) {
        uint64_t seed = (uint64_t)draw(UINT32_MAX) << 32 | draw(UINT32_MAX);
        for (unsigned apart = 0; apart <= 52; apart++) {
            CHECK(pairs_together(seed, apart, 0) < 1400);
            CHECK(pairs_together(seed, apart, 51) < 1400);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(against_a_model),           cmocka_unit_test(strings_and_blobs),
        cmocka_unit_test(a_walk_may_change_the_map), cmocka_unit_test(holes_are_used_again),
        cmocka_unit_test(keys_far_apart_are_spread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
