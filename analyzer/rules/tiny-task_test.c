/* tiny-task_test.c - tasks that are shorter than their begin, and those that only come in numbers.
 */
#include "analyzer/rules/made_model.h"

static struct made made_tasks(uint64_t count, uint64_t begin_ns, uint64_t life_ns)
{
    struct made m = made_process();
    MADE_SITE(&m, .kind = EL_SITE_TASK, .stack = 9, .count = count, .peak = 500);
    MADE_SPREAD(&m, .kind = EL_SPREAD_TASK_START, .stack = 9, .every = 64);
    made_durations(&m, begin_ns, (uint32_t)(count / 64));
    MADE_SPREAD(&m, .kind = EL_SPREAD_TASK_LIFE, .stack = 9, .every = 64);
    made_durations(&m, life_ns, (uint32_t)(count / 64));
    return m;
}

static size_t found(uint64_t count, uint64_t begin_ns, uint64_t life_ns)
{
    struct made m = made_tasks(count, begin_ns, life_ns);
    size_t n = made_judge(&m, "tiny-task");
    made_finish(&m);
    return n;
}

static void test_tiny(void **state)
{
    (void)state;
    struct made m = made_tasks(20000, 8000, 200);
    assert_int_equal(made_judge(&m, "tiny-task"), 1);
    const struct finding *f = m.found.items[0];
    assert_int_equal(f->severity, SEVERITY_WARNING);
    assert_int_equal(made_stack(f, "created at"), 9);
    assert_true(f->costs[0].amount > 20 && strcmp(f->costs[0].unit, "x") == 0);
    made_finish(&m);
    assert_int_equal(found(9999, 8000, 200), 0);
    assert_int_equal(found(10000, 8000, 200), 1);
    /* They begin sooner than they end. */
    assert_int_equal(found(20000, 150, 400), 0);
    /* They wait long in the queue, but have something to do. */
    assert_int_equal(found(20000, 8000000, 50000), 0);
}

static void test_samples(void **state)
{
    (void)state;
    struct made m = made_tasks(20000, 8000, 200);
    m.p.spreads[1].count = 49;
    assert_int_equal(made_judge(&m, "tiny-task"), 0);
    m.p.spreads[1].count = 50;
    assert_int_equal(made_judge(&m, "tiny-task"), 1);
    m.p.spreads[0].kind = EL_SPREAD_THREAD_LIFE;
    assert_int_equal(made_judge(&m, "tiny-task"), 0);
    made_finish(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tiny),
        cmocka_unit_test(test_samples),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
