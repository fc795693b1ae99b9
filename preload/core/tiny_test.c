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

/* So many are made at that place, and end at once; gives how many were measured. */
static unsigned made_and_ended(struct pl_self *self, struct pl_actor *task, unsigned n)
{
    unsigned samples = 0;
    for (unsigned i = 0; i < n; i++) {
        born(self, task);
        samples += task->tiny_made != 0;
        pl_tiny_runs(task);
        pl_tiny_ends(task);
    }
    return samples;
}

static void in_a_hurry_one_stands_for_several(void **state)
{
    (void)state;
    enum { SAMPLES = 1000, N = SAMPLES * PL_TINY_EVERY };
    struct pl_self *self = pl_enter();
    struct pl_actor *task = made_task(5, 83);
    task->site = pl_site_get(EL_SITE_TASK, 83, 0);
    assert_int_equal(self->thread->tiny_weight, 1);
    unsigned samples = made_and_ended(self, task, N);
    assert_int_equal(self->thread->tiny_weight, PL_TINY_HURRIED);
    assert_in_range(samples, SAMPLES / PL_TINY_HURRIED, SAMPLES * 2 / 3);
    assert_in_range(measured(EL_SPREAD_TASK_LIFE, 83), SAMPLES * 3 / 4, SAMPLES * 5 / 4);
    const uint64_t before = measured(EL_SPREAD_TASK_LIFE, 83);
    for (unsigned i = 0; i < 32; i++) { /* after a rest each */
        self->thread->tiny_at = 0;
        self->until_sample = 0;
        made_and_ended(self, task, 1);
    }
    assert_int_equal(self->thread->tiny_weight, 1);
    assert_in_range(measured(EL_SPREAD_TASK_LIFE, 83), before + 32,
                    before + 32 * PL_TINY_HURRIED - 1);
    task->site = NULL;
    pl_leave(self);
}

/* What is alive is looked at in samples too. */
static void where_many_live_there_is_no_hurry(void **state)
{
    (void)state;
    struct pl_self *self = pl_enter();
    struct pl_actor *task = made_task(6, 84);
    task->site = pl_site_get(EL_SITE_TASK, 84, 0);
    task->site->cell->peak = PL_SITE_FEW;
    made_and_ended(self, task, 400 * PL_TINY_EVERY);
    assert_int_equal(self->thread->tiny_weight, 1);
    task->site = NULL;
    pl_leave(self);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_in_so_many_is_measured),
        cmocka_unit_test(a_sample_has_its_begin_and_its_end),
        cmocka_unit_test(others_are_not_measured),
        cmocka_unit_test(in_a_hurry_one_stands_for_several),
        cmocka_unit_test(where_many_live_there_is_no_hurry),
    };
    return cmocka_run_group_tests(tests, made_begin, made_end);
}
