/* unstopped-ticker_test.c - which repeating timers go on for nobody. */
#include "analyzer/rules/made_model.h"

static void judged(struct made *m, size_t n, enum severity severity)
{
    assert_int_equal(made_judge(m, "unstopped-ticker"), n);
    if (n > 0)
        assert_int_equal(m->found.items[0]->severity, severity);
}

static void test_tickers_out_of_use(void **state)
{
    (void)state;
    struct made m = made_process();
    for (uint64_t i = 0; i < 20; i++)
        MADE_TIMER(&m, .kind = EL_OBJ_TICKER, .state = EL_TIMER_ARMED, .creator = TASK(1),
                   .created_ns = 100 * i * MS, .armed_ns = 100 * i * MS, .created_stack = 5,
                   .armed_stack = 5, .period_ns = 2 * MS, .drops = 7,
                   .last_used_ns = (100 * i + 4) * MS, .last_user = TASK(1));
    judged(&m, 1, SEVERITY_ERROR);
    const struct finding *f = m.found.items[0];
    assert_int_equal(f->count, 20);
    assert_string_equal(f->title, "20 tickers still fire and nobody stopped them");
    assert_true(f->costs[1].amount == 20 * 500);
    assert_true(f->costs[2].amount == 140);
    assert_int_equal(f->nstacks, 1);
    /* Each is read until the end: a server's tickers. */
    for (size_t i = 0; i < m.p.ntimers; i++)
        m.p.timers[i].last_used_ns = m.p.end_ns - 3 * MS;
    judged(&m, 1, SEVERITY_NOTE);
    for (size_t i = 0; i < m.p.ntimers; i++)
        m.p.timers[i].state = EL_TIMER_STOPPED;
    judged(&m, 0, SEVERITY_NOTE);
    made_finish(&m);
}

static void test_one_for_the_programs_life(void **state)
{
    (void)state;
    struct made m = made_process();
    MADE_TIMER(&m, .kind = EL_OBJ_ITIMER, .state = EL_TIMER_ARMED, .creator = 1, .created_stack = 5,
               .armed_stack = 6, .period_ns = 10 * MS);
    judged(&m, 1, SEVERITY_NOTE); /* a profiler's */
    m.p.timers[0].creator = 4;    /* a thread that the process no longer has, and that set it up */
    judged(&m, 1, SEVERITY_WARNING);
    MADE_TIMER(&m, .kind = EL_OBJ_ITIMER, .state = EL_TIMER_ARMED, .creator = 5, .created_stack = 5,
               .armed_stack = 6, .period_ns = 10 * MS);
    judged(&m, 1, SEVERITY_ERROR);
    assert_int_equal(m.found.items[0]->confidence, CONFIDENCE_PROVEN);
    assert_int_equal(made_stack(m.found.items[0], "set at"), 6);
    made_finish(&m);
}

static void test_made_for_another(void **state)
{
    (void)state;
    struct made m = made_process();
    MADE_ACTOR(&m, .id = 3, .state = EL_ACTOR_RUNNING, .has_cell = true);
    MADE_TIMER(&m, .kind = EL_OBJ_TIMERFD, .state = EL_TIMER_ARMED, .creator = 4,
               .created_stack = 5, .armed_stack = 5, .period_ns = 10 * MS, .last_user = 3,
               .last_used_ns = 9995 * MS);
    judged(&m, 1, SEVERITY_NOTE);
    m.p.timers[0].last_used_ns = 2000 * MS;
    judged(&m, 1, SEVERITY_ERROR);
    made_finish(&m);
}

/* One tick channel in a main task that returned is the idiom; one that was left long before is
 * told. */
static void test_tick_of_main(void **state)
{
    (void)state;
    struct made m = made_process();
    MADE_RUN(&m, .run = 1, .end_ns = 5000 * MS);
    MADE_TIMER(&m, .kind = EL_OBJ_TICK, .state = EL_TIMER_ARMED, .creator = TASK(1), .run = 1,
               .created_stack = 5, .armed_stack = 5, .period_ns = 10 * MS, .last_user = TASK(1),
               .last_used_ns = 4995 * MS, .flags = EL_TIMER_UNSTOPPABLE | EL_TIMER_ABANDONED);
    judged(&m, 1, SEVERITY_NOTE);
    m.p.timers[0].last_used_ns = 1000 * MS;
    judged(&m, 1, SEVERITY_WARNING);
    made_finish(&m);
}

/* What a runtime tells is only which ticks were dropped. */
static void test_by_dropped_ticks(void **state)
{
    (void)state;
    struct made m = made_process();
    for (uint64_t i = 0; i < 3; i++)
        MADE_TIMER(&m, .kind = EL_OBJ_TICKER, .state = EL_TIMER_ARMED, .creator = TASK(1),
                   .created_stack = 5, .armed_stack = 5, .period_ns = 2 * MS, .fires = 5000,
                   .drops = 40);
    judged(&m, 1, SEVERITY_NOTE); /* a slow reader now and then */
    for (size_t i = 0; i < 3; i++)
        m.p.timers[i].drops = 4990;
    judged(&m, 1, SEVERITY_ERROR);
    made_finish(&m);
}

static void test_what_fires_once(void **state)
{
    (void)state;
    struct made m = made_process();
    for (int i = 0; i < 50; i++)
        MADE_TIMER(&m, .kind = EL_OBJ_TIMER, .state = EL_TIMER_ARMED, .creator = 77,
                   .created_stack = 5, .first_ns = 60000 * MS);
    MADE_TIMER(&m, .kind = EL_OBJ_POSIX_TIMER, .state = EL_TIMER_IDLE, .period_ns = MS);
    judged(&m, 0, SEVERITY_NOTE);
    made_finish(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tickers_out_of_use), cmocka_unit_test(test_one_for_the_programs_life),
        cmocka_unit_test(test_made_for_another),   cmocka_unit_test(test_tick_of_main),
        cmocka_unit_test(test_what_fires_once),    cmocka_unit_test(test_by_dropped_ticks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
