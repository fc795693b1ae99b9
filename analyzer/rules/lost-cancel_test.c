/* lost-cancel_test.c - which contexts without a cancel are lost. */
#include "analyzer/rules/made_model.h"

static void judged(struct made *m, size_t n, enum severity severity)
{
    assert_int_equal(made_judge(m, "lost-cancel"), n);
    if (n > 0)
        assert_int_equal(m->found.items[0]->severity, severity);
}

static void test_let_go(void **state)
{
    (void)state;
    struct made m = made_process();
    MADE_OUTCOME(&m, .kind = EL_OBJ_CONTEXT, .stack = 5, .lost_stack = 6, .made = 200, .gone = 40,
                 .lost = 100, .sweep = 90, .lost_ns = 100 * 30 * MS, .first_ns = MS,
                 .last_ns = 900 * MS);
    judged(&m, 1, SEVERITY_ERROR);
    const struct finding *f = m.found.items[0];
    assert_int_equal(f->confidence, CONFIDENCE_PROVEN);
    assert_true(f->costs[0].amount == 100 && f->costs[1].amount == 90);
    assert_true(f->costs[2].amount == 3000.0 * MS);
    assert_int_equal(made_stack(f, "let go of at"), 6);
    assert_non_null(strstr(made_evidence(f, "kept"), "30 ms"));
    m.p.outcomes[0].lost = 1;
    judged(&m, 1, SEVERITY_WARNING);
    m.p.outcomes[0].lost = 0;
    judged(&m, 0, SEVERITY_ERROR);
    made_finish(&m);
}

static void made_context(struct made *m, uint64_t creator, uint64_t user, uint64_t at_ms)
{
    MADE_OBJECT(m, .address = 0x1000 + at_ms, .kind = EL_OBJ_CONTEXT, .state = EL_LIVE,
                .creator = creator, .created_ns = at_ms * MS, .created_stack = 5,
                .last_waiter = user);
}

/* By tasks that have ended since: the process no longer has them. */
static void test_orphans(void **state)
{
    (void)state;
    struct made m = made_process();
    made_context(&m, TASK(7), TASK(7), 100);
    judged(&m, 1, SEVERITY_WARNING);
    made_context(&m, TASK(8), TASK(9), 200);
    judged(&m, 1, SEVERITY_ERROR);
    assert_int_equal(m.found.items[0]->count, 2);
    assert_int_equal(m.found.items[0]->confidence, CONFIDENCE_PROVEN);
    m.p.objects[0].last_waiter = m.p.objects[1].last_waiter = 0; /* not used yet, perhaps */
    judged(&m, 1, SEVERITY_WARNING);
    m.p.objects[0].state = m.p.objects[1].state = EL_CLOSED;
    judged(&m, 0, SEVERITY_ERROR);
    made_finish(&m);
}

/* A server makes one for each request. */
static void test_replaced(void **state)
{
    (void)state;
    struct made m = made_process();
    for (uint64_t i = 0; i < 3; i++)
        made_context(&m, 1, 1, 100 + i);
    judged(&m, 1, SEVERITY_ERROR);
    assert_int_equal(m.found.items[0]->count, 2); /* the last may be in use */
    made_finish(&m);
}

static void test_in_use(void **state)
{
    (void)state;
    struct made m = made_process();
    MADE_ACTOR(&m, .id = 3, .state = EL_ACTOR_RUNNING, .has_cell = true);
    made_context(&m, 1, 1, 100); /* the program's own */
    made_context(&m, 1, 3, 101); /* given to others, who live */
    made_context(&m, 1, 3, 102);
    made_context(&m, 1, 0, 103); /* nobody used it yet */
    made_context(&m, 4, 3, 104); /* its maker has ended, its user has not */
    judged(&m, 0, SEVERITY_ERROR);
    made_finish(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_let_go),
        cmocka_unit_test(test_orphans),
        cmocka_unit_test(test_replaced),
        cmocka_unit_test(test_in_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
