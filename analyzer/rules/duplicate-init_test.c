/* duplicate-init_test.c - what is told of a race to make one resource. */
#include "analyzer/rules/made_model.h"

static void test_some_are_left_open(void **state)
{
    (void)state;
    struct made m = made_process();
    MADE_OUTCOME(&m, .kind = EL_OBJ_ONCE, .how = EL_FD_SOCKET, .stack = 5, .made = 20, .lost = 19,
                 .gone = 4, .lost_ns = 3 * MS, .first_ns = MS, .last_ns = 4 * MS);
    assert_int_equal(made_judge(&m, "duplicate-init"), 1);
    const struct finding *f = m.found.items[0];
    assert_int_equal(f->severity, SEVERITY_ERROR);
    assert_int_equal(f->count, 19);
    assert_true(f->costs[0].amount == 19 && f->costs[1].amount == 15);
    assert_int_equal(made_stack(f, "opened at"), 5);
    assert_non_null(strstr(f->title, "opened 20 times"));
    assert_non_null(strstr(made_evidence(f, "window"), "3 ms"));
    m.p.outcomes[0].gone = 19;
    assert_int_equal(made_judge(&m, "duplicate-init"), 1);
    assert_int_equal(m.found.items[0]->ncosts, 1);
    made_finish(&m);
}

static void test_nothing_lost(void **state)
{
    (void)state;
    struct made m = made_process();
    MADE_OUTCOME(&m, .kind = EL_OBJ_ONCE, .how = EL_FD_FILE, .stack = 5, .made = 2);
    MADE_OUTCOME(&m, .kind = EL_OBJ_FD, .how = EL_FD_FILE, .stack = 6, .made = 9, .lost = 9);
    assert_int_equal(made_judge(&m, "duplicate-init"), 0);
    made_finish(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_some_are_left_open),
        cmocka_unit_test(test_nothing_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
