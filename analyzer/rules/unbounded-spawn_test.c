/* unbounded-spawn_test.c - what holds spawning back, and what does not. */
#include "analyzer/rules/made_model.h"

static void judged(struct made *m, size_t n)
{
    assert_int_equal(made_judge(m, "unbounded-spawn"), n);
    if (n > 0)
        assert_int_equal(m->found.items[0]->severity, SEVERITY_ERROR);
}

static struct made made_site(enum el_site_kind kind, uint64_t count, uint64_t peak)
{
    struct made m = made_process();
    m.p.workers = 4;
    MADE_SITE(&m, .kind = kind, .stack = 9, .count = count, .peak = peak, .run_peak = peak,
              .first_ns = 100 * MS, .peak_ns = 600 * MS, .last_ns = 900 * MS,
              .bytes = count * 65536);
    return m;
}

static void test_a_task_an_item(void **state)
{
    (void)state;
    struct made m = made_site(EL_SITE_TASK, 10000, 8000);
    judged(&m, 1);
    const struct finding *f = m.found.items[0];
    assert_int_equal(made_stack(f, "created at"), 9);
    assert_int_equal(f->count, 8000);
    assert_true(f->costs[0].amount == 8000 && strcmp(f->costs[0].unit, "tasks") == 0);
    assert_true(f->costs[1].amount == 8000.0 * 65536);
    assert_true(f->growth_per_s == 16000);
    made_finish(&m);
}

static void test_limits(void **state)
{
    (void)state;
    struct made m = made_site(EL_SITE_TASK, 5000, 999);
    judged(&m, 0);
    m.p.sites[0].peak = m.p.sites[0].run_peak = 1000;
    judged(&m, 1);
    m.p.workers = 32; /* 2048 */
    judged(&m, 0);
    m.p.sites[0].kind = EL_SITE_THREAD; /* by processors */
    judged(&m, 1);
    assert_string_equal(m.found.items[0]->costs[0].unit, "threads");
    m.p.cpus = 32;
    judged(&m, 0);
    m.p.cpus = 4;
    m.p.sites[0].kind = EL_SITE_TIMER;
    judged(&m, 0);
    made_finish(&m);
}

static void test_back_pressure(void **state)
{
    (void)state;
    /* A pool of 2000: filled at first, then one for each that ended. */
    struct made m = made_site(EL_SITE_TASK, 50000, 2000);
    m.p.sites[0].backpressure = 30000;
    m.p.sites[0].backpressure_live = 2000;
    judged(&m, 0);
    /* Waves of 2000, each awaited as a whole. */
    m.p.sites[0].backpressure = 24;
    judged(&m, 1);
    /* Awaited often, but when few were alive: the peak had no bound. */
    m.p.sites[0].backpressure = 30000;
    m.p.sites[0].backpressure_live = 10;
    judged(&m, 1);
    /* Never more than a few out of one run: the spawner was held back all the time. */
    m.p.sites[0].run_peak = 64;
    judged(&m, 0);
    /* Never held back; the runs were cut because two stacks took turns. */
    m.p.sites[0].backpressure = 0;
    judged(&m, 1);
    made_finish(&m);
}

/* Items of equal length end together: one wait at the limit lets many be made, and few are met.
 * That the peak stayed where the spawner was held back says that there is a limit. */
static void test_few_waits_at_a_limit(void **state)
{
    (void)state;
    struct made m = made_site(EL_SITE_THREAD, 2400, 1200);
    m.p.sites[0].backpressure = 5;
    m.p.sites[0].backpressure_live = 1200;
    judged(&m, 0);
    /* Its limit was seen a few short of the peak. */
    m.p.sites[0].backpressure_live = 1150;
    judged(&m, 0);
    /* It rose well above where it was held back. */
    m.p.sites[0].backpressure_live = 900;
    judged(&m, 1);
    /* One wait for a whole wave is no limit. */
    m.p.sites[0].backpressure_live = 1200;
    m.p.sites[0].backpressure = 1;
    judged(&m, 1);
    /* Neither are a few, each for a wave as large as the peak. */
    m.p.sites[0].backpressure = 5;
    m.p.sites[0].count = 6 * 1200;
    judged(&m, 1);
    made_finish(&m);
}

/* One root, one finding: what another rule tells of the place is not told again. */
static void test_other_roots(void **state)
{
    (void)state;
    struct made m = made_site(EL_SITE_TASK, 10000, 8000);
    MADE_LINEAGE(&m, .kind = EL_SITE_TASK, .stack = 9, .deepest = 3, .parents = 1110,
                 .made = {0, 90, 900, 9000});
    judged(&m, 0);
    m.p.lineages[0].deepest = 2;
    judged(&m, 1);
    made_finish(&m);
    /* They never end: of 2000, these wait for what nobody will do. */
    m = made_site(EL_SITE_TASK, 2000, 2000);
    for (uint64_t i = 0; i < 1000; i++)
        MADE_ACTOR(&m, .id = EL_ACTOR_TASK | (10 + i), .state = EL_ACTOR_WAITING, .has_cell = true,
                   .created_stack = 9, .wait_kind = EL_WAIT_CHAN_RECV, .object = 0x1000 + 64 * i);
    judged(&m, 0);
    m.p.actors[1].flags = EL_ACTOR_TIMED;
    judged(&m, 1);
    m.p.actors[1].flags = 0;
    m.p.actors[1].created_stack = 8;
    judged(&m, 1);
    made_finish(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_few_waits_at_a_limit),
        cmocka_unit_test(test_a_task_an_item),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_back_pressure),
        cmocka_unit_test(test_other_roots),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
