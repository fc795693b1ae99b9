/* waitgroup-misuse_test.c - counts below zero, and work that nobody waits for. */
#include "analyzer/rules/made_model.h"

static void test_stopped(void **state)
{
    (void)state;
    struct made m = made_process();
    MADE_MISUSE(&m, .kind = EL_MISUSE_GROUP_NEGATIVE, .actor = TASK(4), .object = 0x10, .stack = 9);
    MADE_MISUSE(&m, .kind = EL_MISUSE_OTHER, .actor = TASK(4), .object = 0x10, .stack = 9);
    assert_int_equal(made_judge(&m, "waitgroup-misuse"), 1);
    assert_int_equal(made_stack(m.found.items[0], "done at"), 9);
    m.p.misuses[0].kind = EL_MISUSE_GROUP_REUSED;
    assert_int_equal(made_judge(&m, "waitgroup-misuse"), 1);
    assert_int_equal(made_stack(m.found.items[0], "added at"), 9);
    made_finish(&m);
}

static void test_late(void **state)
{
    (void)state;
    struct made m = made_process();
    MADE_MISUSE(&m, .kind = EL_MISUSE_GROUP_LATE, .actor = TASK(4), .object = 0x10, .stack = 9,
                .other = TASK(1), .other_stack = 8);
    MADE_MISUSE(&m, .kind = EL_MISUSE_GROUP_LATE, .actor = TASK(5), .object = 0x20, .stack = 9,
                .other = TASK(1), .other_stack = 8);
    assert_int_equal(made_judge(&m, "waitgroup-misuse"), 1);
    assert_int_equal(m.found.items[0]->count, 2);
    assert_int_equal(made_stack(m.found.items[0], "added at"), 9);
    assert_int_equal(made_stack(m.found.items[0], "waited at"), 8);
    /* Somebody waits for the first one later. */
    MADE_MISUSE(&m, .kind = EL_MISUSE_GROUP_SETTLED, .object = 0x10);
    assert_int_equal(made_judge(&m, "waitgroup-misuse"), 1);
    assert_int_equal(m.found.items[0]->count, 1);
    MADE_MISUSE(&m, .kind = EL_MISUSE_GROUP_SETTLED, .object = 0x20);
    assert_int_equal(made_judge(&m, "waitgroup-misuse"), 0);
    made_finish(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stopped),
        cmocka_unit_test(test_late),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
