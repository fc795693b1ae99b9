/* thread-explosion_test.c - threads held in calls, with and without a limit. */
#include "analyzer/rules/made_model.h"

static struct made made_blocked(uint64_t peak)
{
    struct made m = made_process();
    m.p.cpus = 2;
    MADE_SITE(&m, .kind = EL_SITE_BLOCKED, .stack = 9, .stack2 = 8, .count = 1000, .peak = peak,
              .total_ns = 1000 * 20 * MS, .bytes = 1000 * (UINT64_C(8) << 20));
    return m;
}

static void test_calls_of_tasks(void **state)
{
    (void)state;
    struct made m = made_blocked(900);
    assert_int_equal(made_judge(&m, "thread-explosion"), 1);
    const struct finding *f = m.found.items[0];
    assert_int_equal(f->severity, SEVERITY_WARNING);
    assert_int_equal(made_stack(f, "blocks at"), 9);
    assert_int_equal(made_stack(f, "created at"), 8);
    assert_true(f->costs[0].amount == 900 && strcmp(f->costs[0].unit, "threads") == 0);
    assert_true(f->costs[1].amount == 900 * (double)(UINT64_C(8) << 20));
    /* Their tasks are not told a second time. */
    m.p.workers = 2;
    MADE_SITE(&m, .kind = EL_SITE_TASK, .stack = 8, .count = 1500, .peak = 1500, .run_peak = 1500);
    assert_int_equal(made_judge(&m, "unbounded-spawn"), 0);
    assert_int_equal(made_judge(&m, "thread-explosion"), 1);
    assert_int_equal(m.found.items[0]->severity, SEVERITY_ERROR);
    m.p.sites[0].count = 700;
    assert_int_equal(made_judge(&m, "unbounded-spawn"), 1);
    made_finish(&m);
}

static void test_limits(void **state)
{
    (void)state;
    struct made m = made_blocked(64);
    assert_int_equal(made_judge(&m, "thread-explosion"), 0);
    m.p.sites[0].peak = 65;
    assert_int_equal(made_judge(&m, "thread-explosion"), 1);
    m.p.cpus = 32; /* 128 */
    assert_int_equal(made_judge(&m, "thread-explosion"), 0);
    m.p.sites[0].peak = 129;
    assert_int_equal(made_judge(&m, "thread-explosion"), 1);
    /* Calls that take a moment. */
    m.p.sites[0].total_ns = 1000 * MS / 10;
    assert_int_equal(made_judge(&m, "thread-explosion"), 0);
    /* All of them last still. */
    m.p.sites[0].live = 1000;
    m.p.sites[0].total_ns = 0;
    assert_int_equal(made_judge(&m, "thread-explosion"), 1);
    made_finish(&m);
}

static void test_threads(void **state)
{
    (void)state;
    struct made m = made_blocked(900);
    MADE_SITE(&m, .kind = EL_SITE_THREAD, .stack = 9, .count = 2000, .peak = 1000,
              .run_peak = 1000);
    assert_int_equal(made_judge(&m, "thread-explosion"), 1);
    assert_int_equal(made_stack(m.found.items[0], "created at"), 9);
    assert_int_equal(made_stack(m.found.items[0], "blocks at"), 8);
    assert_int_equal(made_judge(&m, "unbounded-spawn"), 0);
    /* Their maker waits at a thousand. */
    m.p.sites[1].backpressure = 100;
    m.p.sites[1].backpressure_live = 1000;
    assert_int_equal(made_judge(&m, "thread-explosion"), 0);
    m.p.sites[1].backpressure_live = 500;
    assert_int_equal(made_judge(&m, "thread-explosion"), 1);
    made_finish(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calls_of_tasks),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
