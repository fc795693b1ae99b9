/* spin_test.c - rows of calls that ask again and again: when they go on, and when they end. */
#include "preload/core/spin.h"

#include <time.h>

#include "preload/core/made_record.h"

enum { ANY_WORK = 1000000 };

static uint32_t wanted_stack;
static volatile int sink;

static int is_wanted(const union el_any *any)
{
    return any->spin.stack == wanted_stack && any->spin.state == EL_LIVE;
}

/* The cell of the place; all zero when nothing was counted there. */
static struct el_spin spins_at(uint32_t stack)
{
    struct el_record record;
    wanted_stack = stack;
    return made_find(EL_ID_spin, is_wanted, 0, &record) ? record.any.spin : (struct el_spin){0};
}

static void blocks(struct pl_self *self, unsigned n, uint32_t stack)
{
    for (unsigned i = 0; i < n; i++)
        pl_spin_block(self, EL_SPIN_YIELD, PL_SPIN_BLOCK, stack);
}

/* The first block only tells where the row begins. */
static void a_row_is_counted_by_the_block(void **state)
{
    (void)state;
    struct pl_self *self = pl_enter();
    pl_options.spin_work_us = ANY_WORK;
    struct pl_actor *before = made_become(self, made_task(1, 1));
    blocks(self, 1, 20);
    assert_int_equal(spins_at(20).count, 0);
    blocks(self, 3, 20);
    struct el_spin cell = spins_at(20);
    assert_int_equal(cell.kind, EL_SPIN_YIELD);
    assert_int_equal(cell.count, 3 * PL_SPIN_BLOCK);
    assert_int_equal(cell.longest, 3 * PL_SPIN_BLOCK);
    assert_int_equal(cell.actors, 1);
    assert_int_equal(cell.measured, 3);
    made_become(self, before);
    pl_leave(self);
}

static void a_wait_ends_a_row(void **state)
{
    (void)state;
    struct pl_self *self = pl_enter();
    pl_options.spin_work_us = ANY_WORK;
    struct pl_actor *task = made_task(2, 1), *before = made_become(self, task);
    blocks(self, 4, 21);
    task->cell->since++; /* as a wait leaves it */
    blocks(self, 3, 21);
    struct el_spin cell = spins_at(21);
    assert_int_equal(cell.count, 5 * PL_SPIN_BLOCK);
    assert_int_equal(cell.longest, 3 * PL_SPIN_BLOCK);
    assert_int_equal(cell.actors, 2);
    made_become(self, before);
    pl_leave(self);
}

/* Sleeps for a moment, as often as that: each is a wait that was begun after the last one. */
__attribute__((noinline)) static void naps(struct pl_self *self, unsigned n, int gap)
{
    struct pl_actor *actor = self->actor;
    pl_leave(self);
    for (unsigned i = 0; i < n; i++) {
        actor->cell->since += i == 0 && gap; /* another wait was between */
        uint64_t before = pl_spin_waited();
        actor->cell->since++;
        pl_spin_napped(before, PL_CALL());
        sink++;
    }
    assert_ptr_equal(pl_enter(), self);
}

static int is_nap(const union el_any *any)
{
    return any->spin.kind == EL_SPIN_NAP && any->spin.state == EL_LIVE;
}

static void short_sleeps_are_a_row_until_another_wait(void **state)
{
    struct el_record record;
    (void)state;
    struct pl_self *self = pl_enter();
    pl_options.spin_work_us = ANY_WORK;
    for (volatile int row = 0; row < 2; row++)
        naps(self, 4 * PL_SPIN_BLOCK, 1);
    assert_true(made_find(EL_ID_spin, is_nap, 0, &record));
    assert_int_equal(record.any.spin.longest, 3 * PL_SPIN_BLOCK);
    assert_int_equal(record.any.spin.count, 6 * PL_SPIN_BLOCK);
    assert_int_equal(record.any.spin.actors, 2);
    for (volatile int row = 0; row < 4 * PL_SPIN_BLOCK; row++)
        naps(self, 2, 1); /* a read, a nap, a nap, a read */
    assert_true(made_find(EL_ID_spin, is_nap, 0, &record));
    assert_int_equal(record.any.spin.count, 6 * PL_SPIN_BLOCK);
    pl_leave(self);
}

static void a_recycled_actor_begins_anew(void **state)
{
    (void)state;
    struct pl_self *self = pl_enter();
    pl_options.spin_work_us = ANY_WORK;
    struct pl_actor *task = made_task(3, 1), *before = made_become(self, task);
    blocks(self, 4, 22);
    task->id++;
    blocks(self, 2, 22);
    assert_int_equal(spins_at(22).longest, 3 * PL_SPIN_BLOCK);
    made_become(self, before);
    pl_leave(self);
}

static void work_between_the_calls_is_no_busy_wait(void **state)
{
    (void)state;
    struct pl_self *self = pl_enter();
    pl_options.spin_work_us = 0; /* what goes by between two calls is work, however short */
    struct pl_actor *before = made_become(self, made_task(4, 1));
    blocks(self, 5, 23);
    assert_int_equal(spins_at(23).count, 0);
    pl_options.spin_work_us = ANY_WORK;
    made_become(self, before);
    pl_leave(self);
}

static void a_runtime_s_own_loop_is_not_counted(void **state)
{
    (void)state;
    struct pl_self *self = pl_enter();
    pl_options.spin_work_us = ANY_WORK;
    self->thread->is_worker = 1;
    blocks(self, 5, 24);
    self->thread->is_worker = 0;
    assert_int_equal(spins_at(24).count, 0);
    pl_leave(self);
}

/* So many calls that fail, with a nap after each. */
__attribute__((noinline)) static void refusals(unsigned n, uint64_t what, long nap_ns)
{
    const struct timespec nap = {0, nap_ns};
    for (unsigned i = 0; i < n; i++) {
        pl_spin_refused(EL_SPIN_REFUSED, what, PL_CALL());
        if (nap_ns != 0)
            nanosleep(&nap, NULL);
        sink++;
    }
}

static int is_refused(const union el_any *any)
{
    return any->spin.kind == EL_SPIN_REFUSED && any->spin.state == EL_LIVE;
}

static void failures_in_a_row_count_unless_they_come_late(void **state)
{
    struct el_record record;
    (void)state;
    pl_options.spin_work_us = ANY_WORK;
    refusals(3 * PL_SPIN_BLOCK, 7, 1100000); /* a back-off */
    assert_false(made_find(EL_ID_spin, is_refused, 0, &record));
    for (uint64_t what = 1; what <= 3 * PL_SPIN_BLOCK; what++)
        refusals(1, what, 0); /* each is for another thing */
    assert_false(made_find(EL_ID_spin, is_refused, 0, &record));
    for (volatile int row = 0; row < 8; row++) {
        refusals(PL_SPIN_BLOCK - 1, 7, 0);
        pl_spin_not(); /* one that was not in vain */
    }
    assert_false(made_find(EL_ID_spin, is_refused, 0, &record));
    refusals(4 * PL_SPIN_BLOCK, 7, 0);
    assert_true(made_find(EL_ID_spin, is_refused, 0, &record));
    assert_in_range(record.any.spin.longest, 2 * PL_SPIN_BLOCK, 3 * PL_SPIN_BLOCK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_is_counted_by_the_block),
        cmocka_unit_test(a_wait_ends_a_row),
        cmocka_unit_test(short_sleeps_are_a_row_until_another_wait),
        cmocka_unit_test(a_recycled_actor_begins_anew),
        cmocka_unit_test(work_between_the_calls_is_no_busy_wait),
        cmocka_unit_test(a_runtime_s_own_loop_is_not_counted),
        cmocka_unit_test(failures_in_a_row_count_unless_they_come_late),
    };
    return cmocka_run_group_tests(tests, made_begin, made_end);
}
