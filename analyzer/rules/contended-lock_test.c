/* contended-lock_test.c - locks for which others queue, and those around a counter: both rules. */
#include "analyzer/rules/made_model.h"

enum { AT = 7, ALSO = 8, LOCK = 0x1000 };

/* A lock that is taken a million times, and was waited for during `waited_ms` of 10 s in all, at
 * one place. */
static struct made contended(enum el_object_kind kind, enum el_wait_kind wait, uint32_t waits,
                             uint64_t waited_ms, uint64_t held_ns)
{
    struct made m = made_process();
    MADE_OBJECT(&m, .address = LOCK, .kind = kind, .state = EL_LIVE, .waits = waits,
                .wait_ns = waited_ms * MS, .created_stack = 3);
    MADE(&m, waits, nwaits, .kind = wait, .stack = AT, .object = LOCK, .count = waits,
         .total_ns = waited_ms * MS, .first_ns = MS, .last_ns = 9 * MS);
    MADE_SPREAD(&m, .kind = EL_SPREAD_LOCK_WAIT, .stack = AT);
    made_durations(&m, waited_ms * MS / waits, waits);
    MADE_SPREAD(&m, .kind = EL_SPREAD_LOCK_HELD, .stack = AT);
    made_durations(&m, held_ns, waits);
    MADE_SITE(&m, .kind = EL_SITE_LOCK, .stack = AT, .count = 1000000);
    return m;
}

static void judged(struct made m, size_t as_contended, size_t as_counter)
{
    assert_int_equal(made_judge(&m, "contended-lock"), as_contended);
    assert_int_equal(made_judge(&m, "hot-counter-lock"), as_counter);
    made_finish(&m);
}

static void test_by_how_long_it_is_held(void **state)
{
    (void)state;
    judged(contended(EL_OBJ_MUTEX, EL_WAIT_MUTEX, 1000, 6000, 2000), 1, 0);
    judged(contended(EL_OBJ_MUTEX, EL_WAIT_MUTEX, 1000, 6000, 180), 0, 1);
    judged(contended(EL_OBJ_SPINLOCK, EL_WAIT_SPINLOCK, 1000, 6000, 180), 0, 1);
    judged(contended(EL_OBJ_COND, EL_WAIT_COND, 1000, 6000, 2000), 0, 0);
}

/* Processes share it, so that what its holder waits for is not known to be IO. */
static void test_whose_turn_it_is_to_accept(void **state)
{
    (void)state;
    for (uint64_t lock = LOCK; lock <= LOCK + 8; lock += 8) {
        struct made m = contended(EL_OBJ_MUTEX, EL_WAIT_MUTEX, 1000, 6000, 2000);
        MADE_LOCK_IO(&m, .lock_kind = EL_WAIT_MUTEX, .lock = lock, .io_kind = EL_WAIT_ACCEPT,
                     .acquired_stack = AT, .io_stack = ALSO, .count = 100);
        judged(m, lock != LOCK, 0);
    }
}

/* Some instructions take as long as the machine takes for them. */
static void test_by_how_fast_the_machine_is(void **state)
{
    (void)state;
    static const struct {
        double pair_ns, clock_ns;
        uint64_t held_ns;
        size_t as_contended, as_counter;
    } cases[] = {
        {0, 0, 180, 0, 1},     {0, 0, 600, 1, 0},     /* not measured */
        {15, 20, 560, 0, 1},   {15, 20, 900, 1, 0},   /* three times as slow */
        {2.5, 10, 90, 0, 1},   {2.5, 10, 180, 0, 0},  /* twice as fast */
        {0.5, 10, 180, 0, 1},  {0.5, 10, 600, 1, 0},  /* not believed */
        {500, 10, 180, 0, 1},  {500, 10, 9000, 1, 0}, /* nor this */
        {5, 1000, 1000, 0, 1},                        /* a slow clock is part of what it measures */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct made m = contended(EL_OBJ_MUTEX, EL_WAIT_MUTEX, 1000, 6000, cases[i].held_ns);
        m.p.pair_ns = cases[i].pair_ns;
        m.p.clock_ns = cases[i].clock_ns;
        judged(m, cases[i].as_contended, cases[i].as_counter);
    }
}

/* Each of these alone makes it right. */
static void test_what_is_right(void **state)
{
    (void)state;
    judged(contended(EL_OBJ_MUTEX, EL_WAIT_MUTEX, 9, 6000, 2000), 0, 0);
    judged(contended(EL_OBJ_MUTEX, EL_WAIT_MUTEX, 9, 6000, 180), 0, 0);
    judged(contended(EL_OBJ_MUTEX, EL_WAIT_MUTEX, 1000, 99, 2000), 0, 0);
    judged(contended(EL_OBJ_MUTEX, EL_WAIT_MUTEX, 1000, 99, 180), 0, 0);
    struct made few = contended(EL_OBJ_MUTEX, EL_WAIT_MUTEX, 1000, 6000, 2000);
    few.p.sites[0].count = 200000; /* held for 4 % of the time */
    judged(few, 0, 0);
    few = contended(EL_OBJ_MUTEX, EL_WAIT_MUTEX, 1000, 10, 2000);
    few.p.sites[0].count = 4900; /* for 9.8 ms of 20 */
    few.p.end_ns = 20 * MS;
    judged(few, 0, 0);
    few = contended(EL_OBJ_MUTEX, EL_WAIT_MUTEX, 1000, 6000, 180);
    few.p.sites[0].count = 99999;
    judged(few, 0, 0);
    /* The place takes another lock as well, which is waited for ten times as often. */
    few = contended(EL_OBJ_MUTEX, EL_WAIT_MUTEX, 1000, 6000, 2000);
    MADE(&few, waits, nwaits, .kind = EL_WAIT_MUTEX, .stack = AT, .object = LOCK + 64,
         .count = 10000, .total_ns = MS);
    judged(few, 0, 0);
    /* Its holder was in IO: another rule's. */
    struct made m = contended(EL_OBJ_MUTEX, EL_WAIT_MUTEX, 1000, 6000, 2000);
    m.p.objects[0].wait_io_ns = 3050 * MS;
    judged(m, 0, 0);
}

/* One that is destroyed stands for all of its place, but not for those that are still there. */
static void test_destroyed_locks(void **state)
{
    (void)state;
    struct made m = contended(EL_OBJ_MUTEX, EL_WAIT_MUTEX, 1000, 6000, 2000);
    m.p.objects[0].state = EL_GONE;
    m.p.objects[0].items = 3;
    m.p.objects[0].last_waiter_stack = AT;
    m.p.objects[0].address = LOCK + 64; /* the one whose waits were written was another */
    assert_int_equal(made_judge(&m, "contended-lock"), 1);
    assert_non_null(strstr(made_evidence(m.found.items[0], "objects"), "3 of this kind"));
    MADE_OBJECT(&m, .address = LOCK, .kind = EL_OBJ_MUTEX, .state = EL_LIVE, .waits = 1);
    model_process_index(&m.p);
    judged(m, 0, 0);
}

static void test_severity_and_words(void **state)
{
    (void)state;
    struct made m = contended(EL_OBJ_MUTEX, EL_WAIT_WEFT_MUTEX, 1000, 200, 2000);
    assert_int_equal(made_judge(&m, "contended-lock"), 1);
    assert_int_equal(m.found.items[0]->severity, SEVERITY_WARNING);
    made_finish(&m);
    m = contended(EL_OBJ_MUTEX, EL_WAIT_WEFT_MUTEX, 1000, 6000, 2000);
    MADE(&m, waits, nwaits, .kind = EL_WAIT_WEFT_MUTEX, .stack = ALSO, .object = LOCK, .count = 1,
         .total_ns = MS);
    assert_int_equal(made_judge(&m, "contended-lock"), 1);
    const struct finding *f = m.found.items[0];
    assert_int_equal(f->severity, SEVERITY_WARNING);
    assert_non_null(strstr(f->title, "0.6 wait"));
    assert_int_equal(made_stack(f, "waits at"), AT);
    assert_int_equal(made_stack(f, "waits also at"), ALSO);
    assert_int_equal(made_stack(f, "created at"), 3);
    assert_true(f->costs[0].amount == 6000.0 * MS && f->costs[1].amount == 1000);
    assert_non_null(strstr(made_evidence(f, "held"), "us at the median"));
    made_finish(&m);
}

/* What a reader-writer lock is for is seen from who waits. */
static void test_who_waits(void **state)
{
    (void)state;
    struct made m = contended(EL_OBJ_RWLOCK, EL_WAIT_RWLOCK_READ, 1000, 6000, 2000);
    assert_int_equal(made_judge(&m, "contended-lock"), 1);
    assert_non_null(strstr(m.found.items[0]->fix, "only read"));
    MADE(&m, waits, nwaits, .kind = EL_WAIT_RWLOCK_WRITE, .stack = ALSO, .object = LOCK,
         .count = 1000, .total_ns = MS);
    assert_int_equal(made_judge(&m, "contended-lock"), 1);
    assert_non_null(strstr(m.found.items[0]->fix, "Readers and writers"));
    m.p.waits[1].count = 100000;
    assert_int_equal(made_judge(&m, "contended-lock"), 1);
    assert_non_null(strstr(m.found.items[0]->fix, "want to write"));
    made_finish(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_how_long_it_is_held),
        cmocka_unit_test(test_whose_turn_it_is_to_accept),
        cmocka_unit_test(test_by_how_fast_the_machine_is),
        cmocka_unit_test(test_what_is_right),
        cmocka_unit_test(test_destroyed_locks),
        cmocka_unit_test(test_severity_and_words),
        cmocka_unit_test(test_who_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
