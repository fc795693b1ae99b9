/* group-error-ignored_test.c - what runs on after an error, and how much is too much. */
#include "analyzer/rules/made_model.h"

static void test_runs_on(void **state)
{
    (void)state;
    struct made m = made_process();
    MADE_GROUP(&m, .stack = 9, .error = -5, .failed = 2, .running = 40, .started = 3,
               .wasted_ns = 2000 * MS, .longest_ns = 50 * MS);
    assert_int_equal(made_judge(&m, "group-error-ignored"), 1);
    const struct finding *f = m.found.items[0];
    assert_int_equal(f->severity, SEVERITY_WARNING);
    assert_int_equal(made_stack(f, "created at"), 9);
    assert_int_equal(f->count, 43);
    assert_true(f->costs[0].amount == 2e9 && strcmp(f->costs[0].unit, "ns") == 0);
    assert_non_null(strstr(f->fix, "weft_group_with_ctx"));
    /* It has a context, and nobody looks at it. */
    m.p.groups[0].cancels = 2;
    assert_int_equal(made_judge(&m, "group-error-ignored"), 1);
    assert_non_null(strstr(m.found.items[0]->title, "cancelled"));
    made_finish(&m);
}

static void test_little(void **state)
{
    (void)state;
    struct made m = made_process();
    MADE_GROUP(&m, .stack = 9, .failed = 1, .running = 40, .wasted_ns = 999 * MS,
               .longest_ns = 50 * MS);
    assert_int_equal(made_judge(&m, "group-error-ignored"), 0);
    m.p.groups[0].wasted_ns = 1000 * MS;
    assert_int_equal(made_judge(&m, "group-error-ignored"), 1);
    /* Many groups, each at its end in a moment. */
    m.p.groups[0].longest_ns = 9 * MS;
    assert_int_equal(made_judge(&m, "group-error-ignored"), 0);
    made_finish(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_runs_on),
        cmocka_unit_test(test_little),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
