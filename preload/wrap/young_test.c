/* young_test.c - tasks that have no actor yet: what the record says of them, and when they get one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <loiter.h>

#include "preload/core/clock.h"
#include "preload/core/made_record.h"
#include "preload/core/object.h"
#include "preload/core/young.h"

#define TASKS 8

/* A runtime's record of a task. */
struct task {
    struct loiter_task loiter;
    char *stack;
};

static volatile int sink;
static char chan;
static uint64_t last_id;
static char place_one; /* stands for a return address into the program */
static char stack[65536];
static struct task parent, tasks[TASKS];
static const void *volatile running;
static struct pl_actor *parent_actor;

static void task_main(void) {}

__attribute__((noinline)) static void create(struct task *t)
{
    *t = (struct task){{++last_id, NULL}, NULL};
    pl_self()->until_sample = 1000;
    loiter_task_created(&t->loiter, task_main, sizeof(stack), 24, &place_one, NULL);
    sink++;
}

__attribute__((noinline)) static void create_all(void)
{
    for (volatile int i = 0; i < TASKS; i++)
        create(&tasks[i]);
}

/* The first ones of a place are not. */
__attribute__((noinline)) static void create_young(void)
{
    for (volatile int round = 0; round < 2; round++) {
        create_all();
        for (int i = 0; round == 0 && i < TASKS; i++)
            loiter_task_exit(&tasks[i].loiter);
    }
}

static void run(struct task *t)
{
    running = t;
}

/* A run with a parent. */
static int begin(void **state)
{
    (void)state;
    loiter_run_begin("test", 1);
    loiter_task_stacks(offsetof(struct task, stack));
    loiter_worker_task(&running, offsetof(struct task, loiter));
    loiter_tick();
    parent = (struct task){{++last_id, NULL}, NULL};
    loiter_task_created(&parent.loiter, task_main, sizeof(stack), 0, &place_one, NULL);
    parent_actor = parent.loiter.tool;
    run(&parent);
    return 0;
}

static int end(void **state)
{
    (void)state;
    run(&parent);
    loiter_task_exit(&parent.loiter);
    run(NULL);
    loiter_run_end();
    return 0;
}

static struct el_site *site(void)
{
    return pl_self()->thread->spawn_site->cell;
}

static void one_like_those_before_is_young(void **state)
{
    (void)state;
    create_young();
    const uint64_t live = site()->live;
    for (int i = 0; i < TASKS; i++) {
        assert_true(loiter_task_looks(&tasks[i].loiter));
        assert_int_equal(pl_young_of(&tasks[i].loiter)->creator, parent_actor->id);
    }
    assert_int_equal(site()->count, 2 * TASKS);
    assert_int_equal(live, TASKS);
    assert_int_equal(site()->peak, TASKS);
    assert_int_equal(site()->run_peak, TASKS);
    for (int i = 0; i < TASKS; i++)
        loiter_task_exit(&tasks[i].loiter);
    assert_int_equal(site()->live, 0);
    assert_null(tasks[0].loiter.tool);
}

static void the_one_that_is_a_sample_is_not_young(void **state)
{
    (void)state;
    static struct task t = {{0, NULL}, NULL};
    t.loiter.id = ++last_id;
    pl_self()->until_sample = 0;
    loiter_task_created(&t.loiter, task_main, sizeof(stack), 24, &place_one, NULL);
    assert_false(loiter_task_looks(&t.loiter));
    loiter_task_exit(&t.loiter);
}

static void what_it_had_from_birth_it_has_when_it_is_grown(void **state)
{
    (void)state;
    create_young();
    tasks[3].stack = stack;
    run(&tasks[3]);
    const struct pl_young *y = pl_young_of(&tasks[3].loiter);
    const uint64_t at = y->created_at;
    loiter_object_created(LOITER_OBJ_CHAN, &chan, 0, &place_one);
    struct pl_actor *actor = tasks[3].loiter.tool;
    assert_false(loiter_task_looks(&tasks[3].loiter));
    assert_ptr_equal(actor, pl_self()->actor);
    assert_int_equal(pl_object_find((uintptr_t)&chan)->creator, actor->id);
    assert_int_equal(actor->id, EL_ACTOR_TASK | tasks[3].loiter.id);
    assert_int_equal(actor->stack_lo, stack);
    assert_int_equal(actor->stack_hi, stack + sizeof(stack));
    assert_int_equal(actor->creator, parent_actor->id);
    assert_ptr_equal(actor->site, pl_self()->thread->spawn_site);
    const struct el_actor *cell = actor->cell;
    assert_int_equal(cell->actor, actor->id);
    assert_int_equal(cell->state, EL_ACTOR_NEW);
    assert_int_equal(cell->created_at, at);
    assert_int_equal(cell->created_stack, site()->stack);
    assert_int_equal(cell->creator, parent_actor->id);
    assert_int_equal(cell->start, task_main);
    assert_int_equal(cell->stack_bytes, sizeof(stack));
    assert_int_equal(cell->capture_bytes, 24);
    assert_int_equal(cell->run, parent_actor->cell->run);
    loiter_object_destroyed(LOITER_OBJ_CHAN, &chan, 0);
    const uint64_t live = site()->live;
    for (int i = 0; i < TASKS; i++)
        loiter_task_exit(&tasks[i].loiter);
    assert_int_equal(site()->live, live - TASKS);
}

static void it_waits_as_any_other(void **state)
{
    (void)state;
    const void *object = &chan;
    create_young();
    tasks[0].stack = stack;
    run(&tasks[0]);
    loiter_task_park(&tasks[0].loiter, LOITER_WAIT_RECV, &object, 1, 0, &place_one);
    const struct pl_actor *actor = tasks[0].loiter.tool;
    assert_false(loiter_task_looks(&tasks[0].loiter));
    assert_int_equal(actor->cell->state, EL_ACTOR_WAITING);
    assert_int_equal(actor->cell->wait_kind, EL_WAIT_CHAN_RECV);
    assert_int_equal(pl_self()->guard, 0);
    for (int i = 0; i < TASKS; i++)
        loiter_task_exit(&tasks[i].loiter);
    loiter_object_destroyed(LOITER_OBJ_CHAN, &chan, 0);
}

__attribute__((noinline)) static void wake_parent(void)
{
    loiter_task_ready(&parent.loiter, &chan);
    sink++;
}

__attribute__((noinline)) static void park_parent(void)
{
    const void *object = &chan;
    run(&parent);
    loiter_task_park(&parent.loiter, LOITER_WAIT_RECV, &object, 1, 0, &place_one);
    sink++;
}

/* One that ends soon after is known as the waker, and is spared an actor; one that goes on for a
 * tick of the clock is not. */
static void it_wakes_others_as_itself(void **state)
{
    (void)state;
    char *here = (char *)__builtin_frame_address(0) - sizeof(stack) / 2; /* all run on the test's */
    int spared = 0;
    loiter_object_created(LOITER_OBJ_CHAN, &chan, 0, &place_one);
    create_young();
    for (volatile int i = 0; i < TASKS; i++) {
        if (i == TASKS - 1)
            loiter_tick();
        park_parent();
        tasks[i].stack = here;
        run(&tasks[i]);
        wake_parent();
        const uint64_t id = EL_ACTOR_TASK | tasks[i].loiter.id;
        assert_int_equal(parent_actor->cell->waker, id);
        assert_int_equal(pl_object_find((uintptr_t)&chan)->last_waker, id);
        run(&parent);
        spared += loiter_task_looks(&tasks[i].loiter);
        if (i == TASKS - 1)
            assert_false(loiter_task_looks(&tasks[i].loiter));
        loiter_task_exit(&tasks[i].loiter);
    }
    assert_in_range(spared, 1, TASKS - 1); /* where the place is a known one */
    loiter_object_destroyed(LOITER_OBJ_CHAN, &chan, 0);
}

static int is_shown(const union el_any *any)
{
    return any->actor.actor == (EL_ACTOR_TASK | tasks[2].loiter.id) &&
           any->actor.state == EL_ACTOR_NEW && any->actor.creator == parent_actor->id;
}

static void one_that_computes_is_shown_as_long_as_it_lives(void **state)
{
    (void)state;
    struct el_record record;
    create_young();
    assert_false(made_find(EL_ID_actor, is_shown, 0, &record));
    loiter_task_computes(&tasks[2].loiter);
    assert_true(loiter_task_looks(&tasks[2].loiter));
    assert_true(made_find(EL_ID_actor, is_shown, 0, &record));
    assert_false(made_find(EL_ID_actor, is_shown, 1, &record));
    run(&tasks[2]);
    loiter_object_created(LOITER_OBJ_CHAN, &chan, 0, &place_one); /* now it has its own */
    assert_true(made_find(EL_ID_actor, is_shown, 0, &record));
    assert_false(made_find(EL_ID_actor, is_shown, 1, &record));
    assert_int_equal(pl_young_shown, 0);
    loiter_object_destroyed(LOITER_OBJ_CHAN, &chan, 0);
    loiter_task_computes(&tasks[5].loiter);
    assert_int_equal(pl_young_shown, 1);
    for (int i = 0; i < TASKS; i++)
        loiter_task_exit(&tasks[i].loiter);
    assert_int_equal(pl_young_shown, 0);
    assert_false(made_find(EL_ID_actor, is_shown, 0, &record));
}

static int is_young_left(const union el_any *any)
{
    return any->actor.actor == (EL_ACTOR_TASK | tasks[TASKS - 1].loiter.id) &&
           any->actor.state == EL_ACTOR_ABANDONED && any->actor.creator == parent_actor->id;
}

/* Ends the run. */
static void those_that_are_left_are_shown_at_the_end_of_the_run(void **state)
{
    (void)state;
    struct el_record record;
    create_young();
    assert_false(made_find(EL_ID_actor, is_young_left, 0, &record));
    const uint64_t creator = parent_actor->id;
    loiter_run_end();
    assert_int_equal(parent_actor->id, creator);
    assert_true(made_find(EL_ID_actor, is_young_left, 0, &record));
    /* A straggler is not recorded any more. */
    run(&tasks[TASKS - 1]);
    loiter_object_created(LOITER_OBJ_CHAN, &chan, 0, &place_one);
    assert_null(tasks[TASKS - 1].loiter.tool);
    loiter_object_destroyed(LOITER_OBJ_CHAN, &chan, 0);
}

static int made_end_here(void **state)
{
    loiter_worker_task(NULL, 0);
    return made_end(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_like_those_before_is_young, begin, end),
        cmocka_unit_test_setup_teardown(the_one_that_is_a_sample_is_not_young, begin, end),
        cmocka_unit_test_setup_teardown(what_it_had_from_birth_it_has_when_it_is_grown, begin, end),
        cmocka_unit_test_setup_teardown(it_waits_as_any_other, begin, end),
        cmocka_unit_test_setup_teardown(it_wakes_others_as_itself, begin, end),
        cmocka_unit_test_setup_teardown(one_that_computes_is_shown_as_long_as_it_lives, begin, end),
        cmocka_unit_test_setup_teardown(those_that_are_left_are_shown_at_the_end_of_the_run, begin,
                                        end),
    };
    return cmocka_run_group_tests(tests, made_begin, made_end_here);
}
