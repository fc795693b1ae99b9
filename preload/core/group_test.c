/* group_test.c - groups that run on after an error, and wait groups that are added to too late. */
#include "preload/core/group.h"

#include "preload/core/made_record.h"

static uint32_t wanted_stack;
static uint64_t wanted_object;

static int is_wanted_group(const union el_any *any)
{
    return any->group.stack == wanted_stack;
}

static struct el_group group_at(uint32_t stack)
{
    struct el_record record;
    wanted_stack = stack;
    assert_true(made_find(EL_ID_group, is_wanted_group, 0, &record));
    return record.any.group;
}

static int is_wanted_misuse(const union el_any *any)
{
    return any->misuse.object == wanted_object;
}

static int misuse_of(uint64_t group, size_t n, struct el_misuse *out)
{
    struct el_record record;
    wanted_object = group;
    int found = made_find(EL_ID_misuse, is_wanted_misuse, n, &record);
    *out = record.any.misuse;
    return found;
}

static volatile int sink;

__attribute__((noinline)) static void begun(struct pl_self *self, uint64_t group)
{
    pl_waitgroup_begun(self, group, PL_CALL(), NULL);
    sink++;
}

static void members_that_run_on_are_counted(void **state)
{
    (void)state;
    struct pl_self *self = pl_enter();
    struct pl_actor *before = made_become(self, made_task(1, 50));
    pl_group_failed(self, 0x100, 3, -2, 0); /* two others run */
    pl_group_changed(0x100, 3, 1);          /* one more begins */
    pl_group_changed(0x100, 2, 0);
    pl_group_changed(0x100, 0, 0);
    pl_group_waited(0x100);
    pl_group_changed(0x100, 5, 1); /* it is over: a next round is no matter of the error */
    struct el_group cell = group_at(50);
    assert_int_equal(cell.failed, 1);
    assert_int_equal((int32_t)cell.error, -2);
    assert_int_equal(cell.running, 2);
    assert_int_equal(cell.started, 1);
    assert_int_equal(cell.cancels, 0);
    /* At least one ran, all of the time; at most three. */
    assert_in_range(cell.wasted_ticks, cell.longest_ticks, 3 * cell.longest_ticks);
    made_become(self, before);
    pl_leave(self);
}

/* Who makes the members goes on, though all that it has made so far are done. */
static void members_made_after_the_error_are_counted(void **state)
{
    (void)state;
    struct pl_self *self = pl_enter();
    struct pl_actor *before = made_become(self, made_task(11, 64));
    pl_group_failed(self, 0x600, 1, -2, 0);
    pl_group_changed(0x600, 0, 0);
    pl_group_changed(0x600, 1, 1);
    pl_group_changed(0x600, 2, 1);
    pl_group_changed(0x600, 0, 0);
    pl_group_waited(0x600);
    pl_group_changed(0x600, 1, 1);
    struct el_group cell = group_at(64);
    assert_int_equal(cell.failed, 1);
    assert_int_equal(cell.running, 0);
    assert_int_equal(cell.started, 2);
    assert_true(cell.wasted_ticks > 0);
    made_become(self, before);
    pl_leave(self);
}

/* One that failed again before anybody waited counts from its last error. */
static void a_group_that_nobody_waits_for_may_fail_again(void **state)
{
    (void)state;
    struct pl_self *self = pl_enter();
    struct pl_actor *before = made_become(self, made_task(12, 65));
    for (int i = 0; i < 2; i++) {
        pl_group_failed(self, 0x700, 2, -2, 0);
        pl_group_changed(0x700, 0, 0);
    }
    struct el_group cell = group_at(65);
    assert_int_equal(cell.failed, 2);
    assert_int_equal(cell.running, 2);
    made_become(self, before);
    pl_leave(self);
}

static void groups_of_one_place_add_up(void **state)
{
    (void)state;
    struct pl_self *self = pl_enter();
    struct pl_actor *before = made_become(self, made_task(2, 51));
    for (uint64_t group = 0x200; group < 0x203; group++) {
        pl_group_failed(self, group, 2, -5, group == 0x201);
        pl_group_changed(group, 0, 0);
    }
    pl_group_changed(0x999, 1, 1); /* one that never failed */
    struct el_group cell = group_at(51);
    assert_int_equal(cell.failed, 3);
    assert_int_equal(cell.running, 3);
    assert_int_equal(cell.cancels, 1);
    assert_int_equal(cell.started, 0);
    made_become(self, before);
    pl_leave(self);
}

/* Who waits has made the child before: what the child adds was to be waited for. */
static void an_add_behind_the_waiter_s_back_is_told_once(void **state)
{
    (void)state;
    struct pl_self *self = pl_enter();
    struct pl_actor *parent = made_task(3, 52), *child = made_task(4, 53);
    struct el_misuse event;
    child->creator = parent->id;
    child->made_in = parent->rounds;
    struct pl_actor *before = made_become(self, parent);
    pl_waitgroup_waited(self, 0x300, 60);
    made_become(self, child);
    begun(self, 0x300);
    begun(self, 0x300);
    assert_true(misuse_of(0x300, 0, &event));
    assert_int_equal(event.kind, EL_MISUSE_GROUP_LATE);
    assert_true(event.actor == child->id && event.other == parent->id);
    assert_true(event.stack != 0 && event.other_stack == 60);
    assert_false(misuse_of(0x300, 1, &event));
    /* It is waited for after all. */
    made_become(self, parent);
    pl_waitgroup_waited(self, 0x300, 62);
    assert_true(misuse_of(0x300, 1, &event));
    assert_int_equal(event.kind, EL_MISUSE_GROUP_SETTLED);
    made_become(self, before);
    pl_leave(self);
}

static void other_adds_are_in_time(void **state)
{
    (void)state;
    struct pl_self *self = pl_enter();
    struct pl_actor *parent = made_task(5, 54), *child = made_task(6, 55);
    struct pl_actor *stranger = made_task(7, 56);
    struct el_misuse event;
    struct pl_actor *before = made_become(self, child);
    child->creator = parent->id;
    begun(self, 0x400); /* nobody has waited yet */
    made_become(self, parent);
    pl_waitgroup_waited(self, 0x400, 60);
    child->made_in = parent->rounds; /* made after that wait: a next round */
    made_become(self, child);
    begun(self, 0x400);
    made_become(self, stranger); /* made by somebody else */
    begun(self, 0x400);
    assert_false(misuse_of(0x400, 0, &event));
    made_become(self, before);
    pl_leave(self);
}

/* A task that the waiter did not make is known by its number, until one waits that did. */
static void who_adds_is_known_until_another_waits(void **state)
{
    (void)state;
    struct pl_self *self = pl_enter();
    struct pl_actor *other = made_task(8, 57), *parent = made_task(9, 58);
    struct pl_actor *child = made_task(10, 59);
    const struct loiter_task task = {child->id & ~EL_ACTOR_TASK, NULL};
    child->creator = parent->id;
    child->made_in = parent->rounds;
    struct pl_actor *before = made_become(self, other);
    pl_waitgroup_waited(self, 0x500, 60);
    pl_waitgroup_waited(self, 0x500, 60); /* the thread knows the group from now on */
    assert_false(pl_waitgroup_begun_alike(self, &task, 0x500));
    assert_true(pl_waitgroup_begun_again(self, child, 0x500));
    assert_true(pl_waitgroup_begun_alike(self, &task, 0x500));
    assert_false(pl_waitgroup_begun_alike(self, &task, 0x501));
    made_become(self, parent);
    pl_waitgroup_waited(self, 0x500, 61);
    assert_false(pl_waitgroup_begun_alike(self, &task, 0x500));
    assert_false(pl_waitgroup_begun_again(self, child, 0x500));
    made_become(self, before);
    pl_leave(self);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_that_run_on_are_counted),
        cmocka_unit_test(members_made_after_the_error_are_counted),
        cmocka_unit_test(a_group_that_nobody_waits_for_may_fail_again),
        cmocka_unit_test(groups_of_one_place_add_up),
        cmocka_unit_test(an_add_behind_the_waiter_s_back_is_told_once),
        cmocka_unit_test(other_adds_are_in_time),
        cmocka_unit_test(who_adds_is_known_until_another_waits),
    };
    return cmocka_run_group_tests(tests, made_begin, made_end);
}
