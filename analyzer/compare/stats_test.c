/* stats_test.c - medians, intervals and the U test, against values worked out by hand or taken from
 * tables. */
#include "analyzer/compare/stats.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define N(array) (sizeof(array) / sizeof((array)[0]))

static void near(double got, double expected)
{
    if (!(fabs(got - expected) < 1e-9 * fmax(1, fabs(expected))))
        fail_msg("%.12g, expected %.12g", got, expected);
}

static void medians(void **state)
{
    (void)state;
    struct stats_summary s;
    double one[] = {7}, odd[] = {5, 1, 3}, even[] = {4, 1, 2, 9};
    stats_summarize(&s, one, 1);
    near(s.median, 7);
    near(stats_spread(&s), 0);
    assert_false(s.interval);
    stats_summarize(&s, odd, 3);
    near(s.median, 3);
    near(s.low, 1);
    near(s.high, 5);
    near(stats_spread(&s), 2.0 / 3);
    stats_summarize(&s, even, 4);
    near(s.median, 3);
    near(stats_spread(&s), 2);
}

/* Orders of the 95 % interval from the usual table for the median: n = 6 whole range, 9 from the
 * second, 12 from the third, 20 from the sixth. */
static void intervals(void **state)
{
    (void)state;
    static const struct {
        size_t n, order;
    } table[] = {{6, 1}, {8, 1}, {9, 2}, {11, 2}, {12, 3}, {15, 4}, {20, 6}};
    for (size_t i = 0; i < N(table); i++) {
        double values[20];
        struct stats_summary s;
        for (size_t k = 0; k < table[i].n; k++)
            values[k] = (double)(k + 1);
        stats_summarize(&s, values, table[i].n);
        assert_true(s.interval);
        near(s.low, (double)table[i].order);
        near(s.high, (double)(table[i].n + 1 - table[i].order));
    }
    double few[] = {1, 2, 3, 4, 5};
    struct stats_summary s;
    stats_summarize(&s, few, 5);
    assert_false(s.interval);
    assert_int_equal(STATS_INTERVAL_LEAST, 6);
}

static void spread_around_nothing(void **state)
{
    (void)state;
    struct stats_summary s;
    double zero[] = {0, 0, 0}, some[] = {0, 0, 5}, below[] = {-2, -1, -1};
    stats_summarize(&s, zero, 3);
    near(stats_spread(&s), 0);
    stats_summarize(&s, some, 3);
    assert_true(isnan(stats_spread(&s)));
    stats_summarize(&s, below, 3);
    near(stats_spread(&s), 1);
}

/* Apart as far as can be: 2 of C(2n, n) choices. */
static void apart(void **state)
{
    (void)state;
    static const double least[] = {1, 1.0 / 3, 0.1, 1.0 / 35, 2.0 / 252, 2.0 / 924};
    double a[6], b[6];
    for (size_t n = 1; n <= N(least); n++) {
        for (size_t i = 0; i < n; i++) {
            a[i] = (double)i;
            b[i] = 100 + (double)i;
        }
        near(stats_u_test(a, n, b, n), least[n - 1]);
        near(stats_u_test(b, n, a, n), least[n - 1]);
        assert_int_equal(stats_can_tell(n, n), least[n - 1] <= STATS_ALPHA);
    }
    assert_int_equal(stats_least(), 4);
    assert_false(stats_can_tell(1, 30));
    assert_true(stats_can_tell(1, 39));
    assert_false(stats_can_tell(0, 100));
}

static void mixed(void **state)
{
    (void)state;
    /* 1 4 5 against 2 3 6: rank sum 10 of 6..15; 7 of 20 choices are below 10 and 3 are 10. */
    double a[] = {1, 4, 5}, b[] = {2, 3, 6};
    near(stats_u_test(a, 3, b, 3), 1);
    /* 1 2 4 against 3 5 6: sum 7; of 20 choices only {1,2,3} and {1,2,4} are at most 7. */
    double c[] = {1, 2, 4}, d[] = {3, 5, 6};
    near(stats_u_test(c, 3, d, 3), 2 * 2.0 / 20);
}

static void ties(void **state)
{
    (void)state;
    double equal[] = {3, 3, 3, 3, 3};
    near(stats_u_test(equal, 5, equal, 5), 1);
    /* 1 1 against 1 2: ranks 2 2 2 4; the sum of the first is 4, as of 3 of 6 choices. */
    double a[] = {1, 1}, b[] = {1, 2};
    near(stats_u_test(a, 2, b, 2), 1);
    /* 1 1 1 1 against 2 2 2 2 is as far apart as can be. */
    double c[] = {1, 1, 1, 1}, d[] = {2, 2, 2, 2};
    near(stats_u_test(c, 4, d, 4), 2.0 / 70);
}

/* At the border between the two ways to reckon they must agree. */
static void large_samples(void **state)
{
    (void)state;
    double a[26], b[26];
    for (size_t i = 0; i < 26; i++) {
        a[i] = (double)(2 * i);
        b[i] = (double)(2 * i) + 17;
    }
    double exact = stats_u_test(a, 25, b, 25), normal = stats_u_test(a, 26, b, 26);
    assert_true(exact < 0.05 && normal < 0.05);
    assert_true(exact / normal > 0.5 && exact / normal < 2);
    double equal[60] = {0};
    near(stats_u_test(equal, 30, equal, 30), 1);
    near(stats_u_test(a, 26, a, 26), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(medians),
        cmocka_unit_test(intervals),
        cmocka_unit_test(spread_around_nothing),
        cmocka_unit_test(apart),
        cmocka_unit_test(mixed),
        cmocka_unit_test(ties),
        cmocka_unit_test(large_samples),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
