/* busy-wait_test.c - rows of calls without a wait, and what they burn. */
#include "analyzer/rules/made_model.h"

static void test_rows(void **state)
{
    (void)state;
    struct made m = made_process();
    MADE_SPIN(&m, .kind = EL_SPIN_YIELD, .stack = 9, .actors = 1, .count = 30000, .longest = 10000,
              .cpu_ns = 100 * MS, .between_ns = 400, .first_ns = 100 * MS, .last_ns = 300 * MS);
    assert_int_equal(made_judge(&m, "busy-wait"), 1);
    const struct finding *f = m.found.items[0];
    assert_int_equal(f->severity, SEVERITY_WARNING);
    assert_int_equal(made_stack(f, "asks at"), 9);
    assert_true(f->costs[0].amount == 100e6 && strcmp(f->costs[0].unit, "ns") == 0);
    assert_true(f->costs[1].amount == 50);
    assert_non_null(strstr(f->title, "yields"));
    /* Short rows, however many. */
    m.p.spins[0].longest = 9999;
    assert_int_equal(made_judge(&m, "busy-wait"), 0);
    /* Long ones that cost nothing. */
    m.p.spins[0].longest = 20000;
    m.p.spins[0].cpu_ns = 19 * MS;
    assert_int_equal(made_judge(&m, "busy-wait"), 0);
    m.p.spins[0].cpu_ns = 20 * MS;
    assert_int_equal(made_judge(&m, "busy-wait"), 1);
    made_finish(&m);
}

/* A sleep costs more than a yield: fewer of them make a row. */
static void test_short_sleeps(void **state)
{
    (void)state;
    struct made m = made_process();
    MADE_SPIN(&m, .kind = EL_SPIN_NAP, .stack = 9, .actors = 1, .count = 5000, .longest = 5000,
              .cpu_ns = 50 * MS, .between_ns = 60000, .first_ns = 100 * MS, .last_ns = 400 * MS);
    assert_int_equal(made_judge(&m, "busy-wait"), 1);
    assert_non_null(
        strstr(m.found.items[0]->title, "sleeps or timed waits of less than a millisecond"));
    m.p.spins[0].longest = 4999;
    assert_int_equal(made_judge(&m, "busy-wait"), 0);
    made_finish(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_short_sleeps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
