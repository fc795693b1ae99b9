/* timer-churn_test.c - when timers of one place are too many for what they do. */
#include "analyzer/rules/made_model.h"

static struct model_outcome *churn(struct made *m, enum el_object_kind kind)
{
    MADE_OUTCOME(m, .kind = kind, .stack = 5, .lost_stack = 6, .made = 20000, .gone = 100,
                 .lost = 19900, .peak = 19950, .bytes = 20000 * 200, .burst = 8000, .first_ns = MS,
                 .last_ns = 900 * MS);
    return &m->p.outcomes[m->p.noutcomes - 1];
}

static void judged(struct made *m, size_t n, enum severity severity)
{
    assert_int_equal(made_judge(m, "timer-churn"), n);
    if (n > 0)
        assert_int_equal(m->found.items[0]->severity, severity);
}

static void test_timers_heap_up(void **state)
{
    (void)state;
    struct made m = made_process();
    churn(&m, EL_OBJ_TIMER);
    judged(&m, 1, SEVERITY_ERROR);
    const struct finding *f = m.found.items[0];
    assert_int_equal(f->count, 20000);
    assert_true(f->costs[0].amount == 20000 && f->costs[1].amount == 19950);
    assert_true(f->costs[2].amount == 4000000);
    assert_int_equal(made_stack(f, "created at"), 5);
    assert_int_equal(made_stack(f, "given up at"), 6);
    assert_non_null(strstr(f->fix, "weft_timer_reset"));
    made_finish(&m);
}

static void test_stopped_each_time(void **state)
{
    (void)state;
    struct made m = made_process();
    struct model_outcome *o = churn(&m, EL_OBJ_POSIX_TIMER);
    o->peak = 1;
    judged(&m, 1, SEVERITY_WARNING);
    assert_non_null(strstr(m.found.items[0]->fix, "timer_settime"));
    made_finish(&m);
}

/* Each of these alone makes it right. */
static void test_what_is_right(void **state)
{
    (void)state;
    struct made m = made_process();
    struct model_outcome *o = churn(&m, EL_OBJ_TIMER);
    o->lost = 17000; /* 85 % */
    judged(&m, 0, SEVERITY_ERROR);
    o->lost = 20000;
    o->burst = 999;
    judged(&m, 0, SEVERITY_ERROR);
    o->burst = 8000;
    o->kind = EL_OBJ_CHAN; /* another rule's */
    judged(&m, 0, SEVERITY_ERROR);
    made_finish(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_timers_heap_up),
        cmocka_unit_test(test_stopped_each_time),
        cmocka_unit_test(test_what_is_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
