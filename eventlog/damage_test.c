/*
 * damage_test.c - a good record, damaged in 2000 ways that depend on a number: the reader survives
 * each, in bounded time and memory. What the fuzzer looks for, for every build and without clang.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include <cmocka.h>

#include "eventlog/test_help.h"
#include "eventlog/test_pack.h"

enum { DAMAGES = 2000, SECONDS_MOST = 60 };
#define MEMORY_KIB_MOST (512 * 1024)

static struct test_pack good;

static int make_good(void **state)
{
    (void)state;
    char root[64], dir[EL_PATH_MOST];
    test_dir_make(root);
    int error = test_write_sample(root, 4, dir);
    if (error == 0)
        error = test_pack_dir(dir, &good);
    test_dir_remove(root);
    return error;
}

static int drop_good(void **state)
{
    (void)state;
    test_pack_clear(&good);
    return 0;
}

/* Numbers that sizes and counts are likely to be wrong with. */
static uint64_t nasty(uint64_t r)
{
    static const uint64_t values[] = {
        0,    1,     7,     8,          63,         64,        511,        512,           4095,
        4096, 32768, 32769, 0x7fffffff, UINT32_MAX, INT64_MAX, UINT64_MAX, UINT64_MAX - 7};
    return values[r % (sizeof(values) / sizeof(values[0]))];
}

static void damage(uint8_t *bytes, size_t *n, uint64_t seed)
{
    unsigned times = 1 + (unsigned)(test_random(&seed) % 8);
    while (times-- > 0 && *n > 64) {
        size_t at = test_random(&seed) % (*n - 16);
        size_t length = 1 + test_random(&seed) % 64;
        uint64_t value = nasty(test_random(&seed));
        if (length > *n - at)
            length = *n - at;
        switch (test_random(&seed) % 6) {
        case 0:
            bytes[at] ^= (uint8_t)(1u << test_random(&seed) % 8);
            break;
        case 1:
            memcpy(bytes + (at & ~(size_t)7), &value, sizeof(value));
            break;
        case 2:
            memcpy(bytes + at, &value, 4);
            break;
        case 3:
            memset(bytes + at, (int)(value & 0xff), length);
            break;
        case 4: /* what follows moves up */
            memmove(bytes + at, bytes + at + length, *n - at - length);
            *n -= length;
            break;
        default:
            if (test_random(&seed) % 8 == 0)
                *n = at;
            break;
        }
    }
}

/* The heads of packets are few among many bytes: each is hit on purpose. */
static void damage_heads(uint8_t *bytes, size_t n, uint64_t seed)
{
    const uint32_t magic = EL_MAGIC;
    for (size_t at = 0; at + sizeof(struct el_packet) < n; at++) {
        if (memcmp(bytes + at, &magic, sizeof(magic)) != 0 || test_random(&seed) % 4 != 0)
            continue;
        uint64_t value = nasty(test_random(&seed));
        memcpy(bytes + at + test_random(&seed) % 8 * 8, &value, sizeof(value));
    }
}

static void the_good_one_is_good(void **state)
{
    (void)state;
    char dir[64];
    test_dir_make(dir);
    test_unpack(good.bytes, good.n, dir);
    struct test_counts counts = test_count(dir);
    test_dir_remove(dir);
    assert_int_equal(counts.error, EL_READ_OK);
    assert_int_equal(counts.damage, 0);
    assert_int_equal(counts.by_id[EL_ID_process], 4);
    assert_int_equal(counts.by_id[EL_ID_actor], 4);
}

static void every_damage_is_survived(void **state)
{
    (void)state;
    struct rusage usage;
    char dir[64];
    uint64_t unreadable = 0, damaged = 0;
    uint8_t *bytes = malloc(good.n);
    assert_non_null(bytes);
    for (uint64_t seed = 0; seed < DAMAGES; seed++) {
        size_t n = good.n;
        memcpy(bytes, good.bytes, n);
        if (seed % 2 == 0)
            damage(bytes, &n, seed);
        else
            damage_heads(bytes, n, seed);
        test_dir_make(dir);
        test_unpack(bytes, n, dir);
        struct test_counts counts = test_count(dir);
        unreadable += counts.error != EL_READ_OK;
        damaged += counts.damage != 0;
        test_dir_remove(dir);
    }
    free(bytes);
    assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
    assert_in_range(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec, 0, SECONDS_MOST);
    assert_in_range(usage.ru_maxrss, 0, MEMORY_KIB_MOST);
    print_message("%llu unreadable, %llu damaged\n", (unsigned long long)unreadable,
                  (unsigned long long)damaged);
    /* The damage is seen where it matters; much of it hits values, which any value may be. */
    assert_true(unreadable > 0 && damaged > DAMAGES / 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_good_one_is_good),
        cmocka_unit_test(every_damage_is_survived),
    };
    return cmocka_run_group_tests(tests, make_good, drop_good);
}
