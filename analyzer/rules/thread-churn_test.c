/* thread-churn_test.c - short lives at a rate, and what only looks like it. */
#include "analyzer/rules/made_model.h"

static struct made made_threads(uint64_t count, uint64_t peak, uint64_t life_us)
{
    struct made m = made_process();
    MADE_SITE(&m, .kind = EL_SITE_THREAD, .stack = 9, .count = count, .peak = peak,
              .first_ns = 100 * MS, .last_ns = 900 * MS);
    MADE_SPREAD(&m, .kind = EL_SPREAD_THREAD_MAKE, .stack = 9, .every = 8);
    made_durations(&m, 20000, 10);
    MADE_SPREAD(&m, .kind = EL_SPREAD_THREAD_LIFE, .stack = 9, .every = 1, .busiest = count);
    made_durations(&m, life_us * 1000, (uint32_t)count);
    return m;
}

static void test_a_thread_a_request(void **state)
{
    (void)state;
    struct made m = made_threads(500, 3, 200);
    assert_int_equal(made_judge(&m, "thread-churn"), 1);
    const struct finding *f = m.found.items[0];
    assert_int_equal(f->severity, SEVERITY_WARNING);
    assert_int_equal(made_stack(f, "created at"), 9);
    assert_int_equal(f->count, 500);
    assert_true(f->costs[0].amount == 500 && strcmp(f->costs[0].unit, "threads") == 0);
    assert_true(f->costs[1].amount == 500 * 20000.0 && strcmp(f->costs[1].unit, "ns") == 0);
    made_finish(&m);
}

static void test_not(void **state)
{
    (void)state;
    /* They live long. */
    struct made m = made_threads(500, 3, 30000);
    assert_int_equal(made_judge(&m, "thread-churn"), 0);
    made_finish(&m);
    /* One in eight lives long: a pool that grows and shrinks. */
    m = made_threads(500, 3, 200);
    made_durations(&m, 50 * MS, 70);
    assert_int_equal(made_judge(&m, "thread-churn"), 0);
    made_finish(&m);
    /* One batch. */
    m = made_threads(500, 400, 200);
    assert_int_equal(made_judge(&m, "thread-churn"), 0);
    m.p.sites[0].peak = 125;
    assert_int_equal(made_judge(&m, "thread-churn"), 1);
    /* Now and then. */
    m.p.spreads[1].busiest = 99;
    assert_int_equal(made_judge(&m, "thread-churn"), 0);
    m.p.spreads[1].busiest = 100;
    assert_int_equal(made_judge(&m, "thread-churn"), 1);
    /* They make each other: that is recursive-spawn's matter, until most wait for what they make.
     */
    MADE_LINEAGE(&m, .kind = EL_SITE_THREAD, .stack = 9, .deepest = 7, .parents = 250,
                 .made = {0, 4, 8, 16, 32, 64, 128, 246});
    assert_int_equal(made_judge(&m, "thread-churn"), 0);
    m.p.lineages[0].awaited = 200;
    assert_int_equal(made_judge(&m, "thread-churn"), 1);
    /* No site is known: the record has lost it. */
    m.p.sites[0].stack = 8;
    assert_int_equal(made_judge(&m, "thread-churn"), 0);
    made_finish(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_thread_a_request),
        cmocka_unit_test(test_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
