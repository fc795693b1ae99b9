/* lock-held-across-io_test.c - what a call under a lock must cost others to be an error. */
#include "analyzer/rules/made_model.h"

static void judged(struct made *m, size_t n, enum severity severity)
{
    assert_int_equal(made_judge(m, "lock-held-across-io"), n);
    if (n > 0)
        assert_int_equal(m->found.items[0]->severity, severity);
}

static void test_by_what_others_waited(void **state)
{
    (void)state;
    struct made m = made_process(); /* 10 s: one hundredth is 100 ms */
    MADE_LOCK_IO(&m, .lock_kind = EL_WAIT_MUTEX, .io_kind = EL_WAIT_READ, .acquired_stack = 3,
                 .io_stack = 4, .lock = 0x50, .count = 40, .total_ns = 800 * MS, .max_ns = 30 * MS,
                 .waiters = 60, .waited_ns = 600 * MS);
    judged(&m, 1, SEVERITY_ERROR);
    const struct finding *f = m.found.items[0];
    assert_string_equal(f->title, "a mutex is held while its holder reads");
    assert_int_equal(made_stack(f, "waits at"), 4);
    assert_int_equal(made_stack(f, "acquired at"), 3);
    assert_true(f->stacks[0].primary && f->stacks[0].stack == 4);
    assert_true(f->costs[0].amount == 600 * MS && f->costs[1].amount == 800 * MS);
    assert_int_equal(f->confidence, CONFIDENCE_PROVEN);
    m.p.lock_ios[0].waited_ns = 50 * MS; /* half a hundredth of the run, in short calls */
    judged(&m, 1, SEVERITY_WARNING);
    m.p.lock_ios[0].io_kind = EL_WAIT_JOIN;
    judged(&m, 1, SEVERITY_WARNING);
    assert_string_equal(m.found.items[0]->title,
                        "a mutex is held while its holder waits for a thread to end");
    m.p.lock_ios[0].max_ns = 150 * MS; /* one long call */
    judged(&m, 1, SEVERITY_ERROR);
    made_finish(&m);
}

/* A log line under the log's lock, a database's sync: nobody waited. */
static void test_nobody_waited(void **state)
{
    (void)state;
    struct made m = made_process();
    MADE_LOCK_IO(&m, .lock_kind = EL_WAIT_MUTEX, .io_kind = EL_WAIT_FSYNC, .acquired_stack = 3,
                 .io_stack = 4, .count = 400, .total_ns = 5000 * MS, .max_ns = 300 * MS);
    judged(&m, 1, SEVERITY_NOTE);
    m.p.lock_ios[0].waiters = 2;
    m.p.lock_ios[0].waited_ns = 2 * MS / 10;
    judged(&m, 1, SEVERITY_NOTE);
    m.p.lock_ios[0].waiters = 0;
    m.p.lock_ios[0].waited_ns = 0;
    m.p.lock_ios[0].total_ns = MS / 2;
    judged(&m, 0, SEVERITY_NOTE);
    made_finish(&m);
}

/* Thousands of quick writes, of which a few were preempted while others waited. */
static void test_quick_calls(void **state)
{
    (void)state;
    struct made m = made_process();
    MADE_LOCK_IO(&m, .lock_kind = EL_WAIT_MUTEX, .io_kind = EL_WAIT_WRITE, .acquired_stack = 3,
                 .io_stack = 4, .count = 8000, .total_ns = 160 * MS, .max_ns = 120 * MS,
                 .waiters = 900, .waited_ns = 200 * MS);
    judged(&m, 1, SEVERITY_NOTE);
    m.p.lock_ios[0].count = 100; /* 1.6 ms each */
    judged(&m, 1, SEVERITY_ERROR);
    made_finish(&m);
}

/* Of two calls under one lock the one that costs others time is told. */
static void test_minor_call(void **state)
{
    (void)state;
    struct made m = made_process();
    for (uint32_t i = 0; i < 2; i++)
        MADE_LOCK_IO(&m, .lock_kind = EL_WAIT_MUTEX, .io_kind = EL_WAIT_READ, .acquired_stack = 3,
                     .io_stack = 4 + i, .count = 10, .total_ns = 900 * MS, .max_ns = 90 * MS,
                     .waiters = 10, .waited_ns = i == 0 ? 5 * MS : 800 * MS);
    judged(&m, 1, SEVERITY_ERROR);
    assert_int_equal(made_stack(m.found.items[0], "waits at"), 5);
    m.p.lock_ios[0].waited_ns = 700 * MS;
    judged(&m, 2, SEVERITY_ERROR);
    assert_int_equal(made_stack(m.found.items[0], "waits at"), 5); /* the costliest first */
    made_finish(&m);
}

/* A lock that the main thread keeps so that others stay parked on it. */
static void test_gate(void **state)
{
    (void)state;
    struct made m = made_process();
    for (uint32_t i = 0; i < 8; i++)
        MADE_LOCK_IO(&m, .lock_kind = EL_WAIT_MUTEX, .io_kind = EL_WAIT_POLL, .acquired_stack = 3,
                     .io_stack = 4 + i, .count = 10, .total_ns = 900 * MS, .max_ns = 190 * MS,
                     .waiters = 10, .waited_ns = 800 * MS);
    judged(&m, 1, SEVERITY_WARNING);
    /* Another place takes it as well. */
    MADE_LOCK_IO(&m, .lock_kind = EL_WAIT_MUTEX, .io_kind = EL_WAIT_POLL, .acquired_stack = 30,
                 .io_stack = 4, .lock = 0x50, .count = 10, .total_ns = 90 * MS, .max_ns = 19 * MS,
                 .waiters = 10, .waited_ns = 80 * MS);
    judged(&m, 2, SEVERITY_WARNING);
    m.p.lock_ios[0].lock = 0x50;
    m.p.lock_ios[0].waited_ns = 810 * MS;
    judged(&m, 1, SEVERITY_WARNING);
    m.p.lock_ios[8].waited_ns = 700 * MS; /* which keeps it for this call */
    judged(&m, 2, SEVERITY_WARNING);
    assert_int_equal(m.found.items[1]->severity, SEVERITY_ERROR);
    m.p.nlock_ios = 7;
    judged(&m, 7, SEVERITY_ERROR);
    made_finish(&m);
}

static struct made turns(uint64_t seldom)
{
    struct made m = made_process();
    const enum el_wait_kind kinds[] = {EL_WAIT_POLL, EL_WAIT_ACCEPT, EL_WAIT_WRITE};
    for (uint32_t i = 0; i < 3; i++)
        MADE_LOCK_IO(&m, .lock_kind = EL_WAIT_MUTEX, .lock = 0x50, .io_kind = kinds[i],
                     .acquired_stack = 3, .io_stack = 4 + i, .count = i < 2 ? 100 : seldom,
                     .total_ns = i == 0 ? 900 * MS : MS / 10, .max_ns = i == 0 ? 190 * MS : MS / 20,
                     .waiters = i == 0 ? 90 : 0, .waited_ns = i == 0 ? 800 * MS : 0);
    return m;
}

/* Whose turn it is to wait for a connection; what one does in passing now and then is no part of
 * it, but is judged by itself. */
static void test_turns(void **state)
{
    (void)state;
    struct made m = turns(2);
    judged(&m, 0, SEVERITY_ERROR);
    m.p.lock_ios[2].waited_ns = 200 * MS;
    m.p.lock_ios[2].total_ns = 200 * MS;
    judged(&m, 1, SEVERITY_ERROR);
    assert_int_equal(made_stack(m.found.items[0], "waits at"), 6);
    made_finish(&m);
    m = turns(3);
    judged(&m, 1, SEVERITY_ERROR);
    assert_int_equal(made_stack(m.found.items[0], "waits at"), 4);
    m.p.nlock_ios = 1; /* nobody accepts */
    judged(&m, 1, SEVERITY_ERROR);
    made_finish(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_what_others_waited),
        cmocka_unit_test(test_nobody_waited),
        cmocka_unit_test(test_quick_calls),
        cmocka_unit_test(test_minor_call),
        cmocka_unit_test(test_gate),
        cmocka_unit_test(test_turns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
