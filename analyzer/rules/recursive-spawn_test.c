/* recursive-spawn_test.c - generations that grow, and recursion that is right. */
#include "analyzer/rules/made_model.h"

static struct made made_tree(void)
{
    struct made m = made_process();
    MADE_SITE(&m, .kind = EL_SITE_TASK, .stack = 9, .count = 255, .peak = 130);
    MADE_LINEAGE(&m, .kind = EL_SITE_TASK, .stack = 9, .deepest = 7, .parents = 127,
                 .made = {0, 2, 4, 8, 16, 32, 64, 128});
    return m;
}

static void test_retries(void **state)
{
    (void)state;
    struct made m = made_tree();
    assert_int_equal(made_judge(&m, "recursive-spawn"), 1);
    const struct finding *f = m.found.items[0];
    assert_int_equal(f->severity, SEVERITY_ERROR);
    assert_int_equal(made_stack(f, "created at"), 9);
    assert_true(f->costs[0].amount == 255 && strcmp(f->costs[0].unit, "tasks") == 0);
    assert_true(f->costs[1].amount > 1.99 && f->costs[1].amount < 2.01);
    made_finish(&m);
}

static void test_not(void **state)
{
    (void)state;
    /* Divided, and awaited. */
    struct made m = made_tree();
    m.p.lineages[0].awaited = 64;
    assert_int_equal(made_judge(&m, "recursive-spawn"), 0);
    m.p.lineages[0].awaited = 63;
    assert_int_equal(made_judge(&m, "recursive-spawn"), 1);
    /* Two deep. */
    m.p.lineages[0].deepest = 2;
    assert_int_equal(made_judge(&m, "recursive-spawn"), 0);
    made_finish(&m);
    /* A small tree. */
    m = made_tree();
    m.p.sites[0].count = 63;
    m.p.lineages[0].made[6] = m.p.lineages[0].made[7] = 0;
    assert_int_equal(made_judge(&m, "recursive-spawn"), 0);
    made_finish(&m);
    /* Each makes its one successor. */
    m = made_process();
    MADE_SITE(&m, .kind = EL_SITE_TASK, .stack = 9, .count = 3000, .peak = 1);
    MADE_LINEAGE(&m, .kind = EL_SITE_TASK, .stack = 9, .deepest = 2999, .parents = 2999,
                 .made = {0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2985});
    assert_int_equal(made_judge(&m, "recursive-spawn"), 0);
    made_finish(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_retries),
        cmocka_unit_test(test_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
