/* tiny_test.c - which tasks are measured, and what is written of them. */
#include "preload/core/tiny.h"

#include "preload/core/made_record.h"
#include "preload/core/spread.h"

/* As the announcement of a task does. */
static void born(struct pl_self *self, struct pl_actor *task)
{
    if (pl_tiny_is_due(self))
        pl_tiny_choose(self, task);
}

static uint64_t measured(enum el_spread_kind kind, uint32_t stack)
{
    return pl_spread_get(kind, stack, PL_TINY_EVERY)->cell->count;
}

static void one_in_so_many_is_measured(void **state)
{
    (void)state;
    struct pl_self *self = pl_enter();
    struct pl_actor *task = made_task(1, 80);
    unsigned samples = 0;
    self->until_sample = 0;
    for (unsigned i = 0; i < 64 * PL_TINY_EVERY; i++) {
        task->tiny_made = 0;
        born(self, task);
        samples += task->tiny_made != 0;
        assert_true(self->until_sample < 2 * PL_TINY_EVERY);
    }
    assert_in_range(samples, 32, 65 * PL_TINY_EVERY / 2);
    task->tiny_made = 0;
    pl_leave(self);
}

static void a_sample_has_its_begin_and_its_end(void **state)
{
    (void)state;
    struct pl_self *self = pl_enter();
    struct pl_actor *task = made_task(2, 81);
    self->until_sample = 0;
    born(self, task);
    pl_tiny_runs(task);
    uint64_t began = task->tiny_began;
    assert_true(task->tiny_made != 0 && began >= task->tiny_made);
    pl_tiny_runs(task); /* it goes on after a wait: that is no second begin */
    assert_int_equal(task->tiny_began, began);
    pl_tiny_ends(task);
    assert_int_equal(measured(EL_SPREAD_TASK_START, 81), 1);
    assert_int_equal(measured(EL_SPREAD_TASK_LIFE, 81), 1);
    pl_tiny_ends(task); /* the next that uses the record is no sample */
    assert_int_equal(measured(EL_SPREAD_TASK_LIFE, 81), 1);
    pl_leave(self);
}

static void others_are_not_measured(void **state)
{
    (void)state;
    struct pl_self *self = pl_enter();
    struct pl_actor *task = made_task(3, 82);
    self->until_sample = 5;
    born(self, task);
    pl_tiny_runs(task);
    pl_tiny_ends(task);
    assert_int_equal(self->until_sample, 4);
    assert_int_equal(measured(EL_SPREAD_TASK_START, 82), 0);
    /* One whose maker is not known has no place to be counted at. */
    struct pl_actor *nowhere = made_task(4, 0);
    self->until_sample = 0;
    born(self, nowhere);
    pl_tiny_runs(nowhere);
    pl_tiny_ends(nowhere);
    assert_int_equal(measured(EL_SPREAD_TASK_LIFE, 0), 0);
    pl_leave(self);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_in_so_many_is_measured),
        cmocka_unit_test(a_sample_has_its_begin_and_its_end),
        cmocka_unit_test(others_are_not_measured),
    };
    return cmocka_run_group_tests(tests, made_begin, made_end);
}
