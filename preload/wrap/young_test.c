/* young_test.c - tasks that have no actor yet: what the record says of them, and when they get one.
 */
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <loiter.h>

#include "preload/core/clock.h"
#include "preload/core/made_record.h"
#include "preload/core/object.h"
#include "preload/core/spawner.h"
#include "preload/core/young.h"
#include "preload/wrap/made_tasks.h"

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

static void one_like_those_before_is_young(void **state)
{
    (void)state;
    create_young();
    const uint64_t live = site()->live;
    for (int i = 0; i < TASKS; i++) {
        assert_true(loiter_task_looks(&tasks[i].loiter));
        assert_int_equal(pl_brood_of(&tasks[i].loiter)->creator, parent_actor->id);
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
    const uint64_t at = pl_brood_of(&tasks[3].loiter)->created_at;
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

/* Its end and the look of who showed it missed each other. */
static void one_that_ended_as_it_was_shown_is_hidden_at_the_next_tick(void **state)
{
    (void)state;
    struct el_record record;
    create_young();
    loiter_task_computes(&tasks[2].loiter);
    loiter_task_computes(&tasks[4].loiter);
    void *tool = tasks[2].loiter.tool;
    tasks[2].loiter.tool = NULL;
    assert_true(made_find(EL_ID_actor, is_shown, 0, &record));
    loiter_tick();
    assert_false(made_find(EL_ID_actor, is_shown, 0, &record));
    assert_int_equal(pl_young_shown, 1);
    loiter_tick(); /* the other one lives */
    assert_int_equal(pl_young_shown, 1);
    tasks[2].loiter.tool = tool;
    for (int i = 0; i < TASKS; i++)
        loiter_task_exit(&tasks[i].loiter);
    assert_int_equal(pl_young_shown, 0);
}

/* ---- broods ---- */

/* One place in the program: where it is called in a loop. */
static void those_made_before_a_wait_are_of_another_brood_than_those_after(void **state)
{
    (void)state;
    const void *object = &chan;
    struct task *waiter = &many[2 * TASKS - 1];
    uint64_t since = 0;
    const uint32_t rounds = parent_actor->rounds;
    for (volatile int step = 0; step < 4; step++) {
        create_many(step * TASKS, (step + 1) * TASKS);
        if (step == 1) {
            waiter->stack = stack;
            run(waiter);
            loiter_task_park(&waiter->loiter, LOITER_WAIT_RECV, &object, 1, 0, &place_one);
            since = ((struct pl_actor *)waiter->loiter.tool)->cell->since;
            run(&parent);
        } else if (step == 2) {
            loiter_waitgroup_waited(&chan, &place_one);
        }
    }
    const struct pl_brood *brood[4];
    for (int step = 1; step < 4; step++) {
        brood[step] = pl_brood_of(&many[step * TASKS].loiter);
        assert_non_null(brood[step]);
        assert_ptr_equal(brood[step], pl_brood_of(&many[(step + 1) * TASKS - 2].loiter));
    }
    assert_ptr_not_equal(brood[2], brood[1]);
    assert_ptr_not_equal(brood[3], brood[2]);
    assert_true(brood[1]->created_at < since);
    assert_true(brood[2]->created_at >= since);
    assert_int_equal(brood[2]->kin.made_in, rounds);
    assert_int_equal(brood[3]->kin.made_in, rounds + 1);
    exit_many(0, 4 * TASKS);
    loiter_object_destroyed(LOITER_OBJ_CHAN, &chan, 0);
}

static const struct el_site *counted;

/* The parent waits when all live; then all but the last end. */
static void wait_and_end(void)
{
    const void *object = &chan;
    loiter_task_park(&parent.loiter, LOITER_WAIT_RECV, &object, 1, 0, &place_one);
    assert_int_equal(counted->count, MANY);
    assert_int_equal(counted->live, MANY);
    assert_int_equal(counted->peak, MANY);
    assert_int_equal(counted->run_peak, MANY);
    assert_int_equal(parent_actor->spawns[0].live, MANY);
    loiter_task_unpark(&parent.loiter);
    for (int i = 0; i < MANY - 1; i++) {
        loiter_task_exit(&many[i].loiter);
        assert_in_range(counted->live, MANY - 1 - i, MANY - 1 - i + MANY / 16);
    }
}

/* At no time further off than one 16th of the most that lived. */
static void many_are_counted_together(void **state)
{
    (void)state;
    int late = 0;
    for (volatile int i = 0; i < MANY + 5; i++) {
        create_many(i % MANY, i % MANY + 1);
        counted = site();
        late += counted->count != (uint64_t)i + 1;
        assert_in_range((uint64_t)i + 1 - counted->count, 0, counted->peak / 16);
        if (i == MANY - 1)
            wait_and_end();
    }
    assert_true(late > MANY / 2);
    pl_spawners_settle(); /* what is not counted yet is shown */
    assert_int_equal(counted->count, MANY + 5);
    assert_int_equal(counted->live, 6);
    assert_int_equal(counted->peak, MANY);
    assert_in_range(pl_log.summary->tasks, MANY + 5, UINT64_MAX);
    exit_many(0, 5);
    loiter_task_exit(&many[MANY - 1].loiter);
    loiter_object_destroyed(LOITER_OBJ_CHAN, &chan, 0);
}

static sem_t made, ended;
static volatile int over;

static void *end_many(void *arg)
{
    (void)arg;
    for (;;) {
        sem_wait(&made);
        if (over)
            break;
        exit_many(0, MANY);
        sem_post(&ended);
    }
    return NULL;
}

/* Broods, the first of which is grown; the time of the thread moves after each. */
static void create_broods(void)
{
    const struct pl_brood *before = NULL;
    for (volatile int i = 0; i < MANY; i += TASKS) {
        create_many(i, i + TASKS);
        run(&many[i]);
        loiter_object_used(LOITER_OBJ_CONTEXT, &chan); /* now it has an actor */
        assert_false(loiter_task_looks(&many[i].loiter));
        run(&parent);
        const struct pl_brood *b = pl_brood_of(&many[i + 1].loiter);
        assert_true(b != NULL && b != before);
        before = b;
        loiter_waitgroup_waited(&chan, &place_one);
    }
}

/* Their broods are used again. */
static void those_that_end_on_another_thread_leave_nothing_behind(void **state)
{
    (void)state;
    enum { ROUNDS = 200 };
    pthread_t thread;
    size_t bytes = 0;
    over = 0;
    assert_int_equal(sem_init(&made, 0, 0) | sem_init(&ended, 0, 0), 0);
    assert_int_equal(pthread_create(&thread, NULL, end_many, NULL), 0);
    for (volatile int round = 0; round < ROUNDS; round++) {
        create_broods();
        sem_post(&made);
        sem_wait(&ended);
        if (round == ROUNDS / 2) /* by now the other thread keeps as many actors as it may */
            bytes = pl_arena_bytes();
    }
    over = 1;
    sem_post(&made);
    pthread_join(thread, NULL);
    assert_int_equal(pl_arena_bytes(), bytes);
    pl_spawners_settle();
    assert_int_equal(site()->count, ROUNDS * MANY);
    assert_int_equal(site()->live, 0);
    sem_destroy(&made);
    sem_destroy(&ended);
}

/* ---- places ---- */

__attribute__((noinline)) static void create_deep(struct task *t, volatile int frames)
{
    if (frames == 0)
        create(t);
    else
        create_deep(t, frames - 1);
    sink++;
}

/* Two ways to one call of the runtime, which differ in the outermost of so many frames. */
__attribute__((noinline)) static struct pl_site *create_by(int way, struct task *t, int frames)
{
    if (way == 0) {
        create_deep(t, frames);
        sink++;
    } else {
        create_deep(t, frames);
        sink--;
    }
    const struct pl_brood *b = pl_brood_of(&t->loiter);
    const struct pl_actor *actor = t->loiter.tool;
    return b != NULL ? b->site : actor->site;
}

static void take_turns(int frames)
{
    struct pl_site *place[2];
    for (volatile int i = 0; i < MANY; i++) {
        struct pl_site *at = create_by(i & 1, &many[i], frames);
        if (i < 2)
            place[i] = at;
        assert_ptr_equal(at, place[i & 1]);
    }
    assert_ptr_not_equal(place[0], place[1]);
    exit_many(0, MANY);
}

static void ways_that_take_turns_are_told_apart(void **state)
{
    (void)state;
    take_turns(0);
    take_turns(2);
    take_turns(10);
}

/* The first is of the one way, those up to `row` of the other, and then they are of the first
 * again. Gives how many of these are taken for others. */
static int count_wrong_after(int row, int frames, void (*then)(void))
{
    struct pl_site *place[2];
    int wrong = 0, quick = 0;
    for (volatile int i = 0; i < MANY; i++) {
        const int way = i > 0 && i < row;
        if (i == row && then != NULL)
            then();
        struct pl_site *at = create_by(way, &many[i], frames);
        if (i < 2)
            place[i] = at;
        assert_true(i >= row || at == place[way]);
        wrong += at != place[way];
        quick += i < row && pl_self()->thread->spawner.left != 0;
    }
    assert_ptr_not_equal(place[0], place[1]);
    assert_true(quick > row / 4); /* all frames are not looked at each time */
    exit_many(0, MANY);
    assert_int_equal(place[0]->cell->live + place[1]->cell->live, 0);
    return wrong;
}

/* No more than one in 16 of the row. */
static void a_way_after_a_row_of_another_is_soon_told(void **state)
{
    (void)state;
    const int wrong = count_wrong_after(500, 10, NULL);
    assert_in_range(wrong, 0, 500 / 16);
    assert_int_equal(count_wrong_after(500, 0, NULL), 0); /* near frames are always looked at */
}

/* However many there were: a tick is a moment to look at all frames. */
static void a_way_after_a_tick_is_told(void **state)
{
    (void)state;
    assert_int_equal(count_wrong_after(500, 10, loiter_tick), 0);
}

static void a_runtime_that_lists_no_tasks_has_no_young_ones(void **state)
{
    (void)state;
    loiter_task_list(NULL);
    create_young();
    for (int i = 0; i < TASKS; i++) {
        assert_false(loiter_task_looks(&tasks[i].loiter));
        loiter_task_exit(&tasks[i].loiter);
    }
    assert_int_equal(site()->live, 0);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_like_those_before_is_young, begin, end),
        cmocka_unit_test_setup_teardown(the_one_that_is_a_sample_is_not_young, begin, end),
        cmocka_unit_test_setup_teardown(what_it_had_from_birth_it_has_when_it_is_grown, begin, end),
        cmocka_unit_test_setup_teardown(it_waits_as_any_other, begin, end),
        cmocka_unit_test_setup_teardown(it_wakes_others_as_itself, begin, end),
        cmocka_unit_test_setup_teardown(one_that_computes_is_shown_as_long_as_it_lives, begin, end),
        cmocka_unit_test_setup_teardown(one_that_ended_as_it_was_shown_is_hidden_at_the_next_tick,
                                        begin, end),
        cmocka_unit_test_setup_teardown(
            those_made_before_a_wait_are_of_another_brood_than_those_after, begin, end),
        cmocka_unit_test_setup_teardown(many_are_counted_together, begin, end),
        cmocka_unit_test_setup_teardown(those_that_end_on_another_thread_leave_nothing_behind,
                                        begin, end),
        cmocka_unit_test_setup_teardown(ways_that_take_turns_are_told_apart, begin, end),
        cmocka_unit_test_setup_teardown(a_way_after_a_row_of_another_is_soon_told, begin, end),
        cmocka_unit_test_setup_teardown(a_way_after_a_tick_is_told, begin, end),
        cmocka_unit_test_setup_teardown(a_runtime_that_lists_no_tasks_has_no_young_ones, begin,
                                        end),
        cmocka_unit_test_setup_teardown(those_that_are_left_are_shown_at_the_end_of_the_run, begin,
                                        end),
    };
    return cmocka_run_group_tests(tests, made_begin, made_end_here);
}
