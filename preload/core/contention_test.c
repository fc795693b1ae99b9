/* contention_test.c - samples of locks stand for as many acquisitions as there were. */
#include "preload/core/contention.h"

#include "preload/core/made_record.h"
#include "preload/core/stack.h"

#define LOCKS 50000

static uint64_t samples, stood_for;

/* Takes no lock: what a wrapper does before it. `quickly`: in the usual way, where that can be. */
__attribute__((noinline)) static void lock_comes(struct pl_self *self, int quickly)
{
    struct pl_call call = PL_CALL();
    struct pl_contention *c = &self->thread->contention;
    if (quickly && pl_stack_near(self, call.pc, call.sp) != 0)
        return;
    assert_int_not_equal(pl_contention_place(self, call, NULL), 0);
    samples += c->next != 0;
    stood_for += c->next;
    c->next = 0;
}

/* One acquisition in `rarely` goes the longer way for a reason of its own, all in a burst of
 * `longer`. */
static void stands_for_all(unsigned rarely, unsigned longer)
{
    struct pl_self *self = pl_enter();
    samples = stood_for = 0;
    for (volatile unsigned i = 0; i < LOCKS; i++)
        lock_comes(self, i % rarely >= longer);
    pl_leave(self);
    assert_true(samples > 20);
    assert_true(samples < LOCKS / 16);
    /* What came since the last look is missing, or was left over from the test before. */
    const unsigned apart = PL_TRUST_MOST + PL_LOCK_EVERY;
    assert_in_range(stood_for, LOCKS - apart, LOCKS + apart);
}

static void in_the_usual_way(void **state)
{
    (void)state;
    stands_for_all(LOCKS, 0);
}

static void always_the_longer_way(void **state)
{
    (void)state;
    stands_for_all(1, 1);
}

static void the_longer_way_now_and_then(void **state)
{
    (void)state;
    stands_for_all(3, 1);
    stands_for_all(7, 5);
    stands_for_all(40, 1);
    stands_for_all(700, 300);
}

/* Between a tenth of a nanosecond and a microsecond, under a tool or in a busy guest too. */
static void how_fast_the_machine_is_stands_in_the_record(void **state)
{
    (void)state;
    const struct el_summary *s = pl_log.summary;
    assert_in_range(s->pair_ps, 100, 1000000);
    assert_in_range(s->clock_ps, 100, 10000000);
}

static void a_few_locks_are_sampled_too(void **state)
{
    (void)state;
    struct pl_self *self = pl_enter();
    self->thread->contention = (struct pl_contention){0};
    samples = stood_for = 0;
    for (volatile unsigned i = 0; i < PL_LOCK_EVERY; i++)
        lock_comes(self, 0);
    pl_leave(self);
    assert_in_range(samples, 3, 6);
    assert_in_range(stood_for, PL_LOCK_EVERY / 3, PL_LOCK_EVERY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_the_usual_way),
        cmocka_unit_test(always_the_longer_way),
        cmocka_unit_test(the_longer_way_now_and_then),
        cmocka_unit_test(a_few_locks_are_sampled_too),
        cmocka_unit_test(how_fast_the_machine_is_stands_in_the_record),
    };
    return cmocka_run_group_tests(tests, made_begin, made_end);
}
