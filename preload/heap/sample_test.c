/* sample_test.c - what samples stand for adds up to the whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "preload/heap/sample.h"

#define PERIOD UINT64_C(524288)

static void distances(void **state)
{
    (void)state;
    uint64_t random = 88172645463325252u, sum = 0, beyond = 0;
    const uint64_t n = 1000000;
    for (uint64_t i = 0; i < n; i++) {
        uint64_t d = pl_sample_distance(&random, PERIOD);
        assert_true(d > 0);
        sum += d;
        beyond += d > PERIOD;
    }
    /* The mean is the period, and 1/e of them are longer. */
    assert_in_range(sum / n, PERIOD * 99 / 100, PERIOD * 101 / 100);
    assert_in_range(beyond, n * 364 / 1000, n * 372 / 1000);
}

static void weights(void **state)
{
    (void)state;
    assert_int_equal(pl_sample_weight(100, 0, 7).blocks, 1);
    assert_int_equal(pl_sample_weight(100, 0, 7).bytes, 100);
    /* Large blocks stand for themselves, small ones for a period's worth. */
    assert_int_equal(pl_sample_weight(PERIOD * 50, PERIOD, 7).bytes, PERIOD * 50);
    assert_in_range(pl_sample_weight(64, PERIOD, 7).bytes, PERIOD, PERIOD + 64);
    assert_in_range(pl_sample_weight(0, PERIOD, 7).blocks, PERIOD, PERIOD + 1);
    /* 1 / (1 - 1/e) = 1.58198 */
    assert_in_range(pl_sample_weight(PERIOD, PERIOD, 7).bytes, PERIOD * 158197 / 100000,
                    PERIOD * 158199 / 100000);
}

/* The rule for the choice as heap.c has it: a block with the marked byte. */
static void unbiased(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {16, 1000, 65536, 524288, 3000000};
    uint64_t random = 2463534242u;
    for (unsigned s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        const uint64_t n = 4000 * PERIOD / sizes[s] + 4000;
        uint64_t left = pl_sample_distance(&random, PERIOD), blocks = 0, bytes = 0;
        for (uint64_t i = 0; i < n; i++) {
            if (sizes[s] < left) {
                left -= sizes[s];
                continue;
            }
            left = pl_sample_distance(&random, PERIOD);
            struct pl_weight w = pl_sample_weight(sizes[s], PERIOD, i * 64);
            blocks += w.blocks;
            bytes += w.bytes;
        }
        assert_in_range(blocks, n * 92 / 100, n * 108 / 100);
        assert_in_range(bytes, n * sizes[s] / 100 * 92, n * sizes[s] / 100 * 108);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distances),
        cmocka_unit_test(weights),
        cmocka_unit_test(unbiased),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
