/* row_test.c - tasks that are made one by one, each waited for: how they are counted, and who is
 * told to have ended the wait. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <loiter.h>

#include "preload/core/object.h"
#include "preload/core/spawner.h"
#include "preload/wrap/made_rows.h"

static const struct el_site *counted;
static struct loiter_spared others;

/* One, which lives when everything is counted, and one that gets an actor. */
static void disturb_row(struct task *t, int i)
{
    if (i == MANY / 2) {
        pl_spawners_settle();
        assert_int_equal(counted->count, i + 1);
        assert_int_equal(counted->live, 1);
    } else if (i == MANY / 2 + 20) {
        run(t);
        loiter_object_used(LOITER_OBJ_CONTEXT, &chan);
        assert_false(loiter_task_looks(&t->loiter));
        run(&parent);
    }
}

/* The place's counters are another thread's: the one that made its first task. */
static void give_away(struct pl_site *site)
{
    static const struct pl_thread another;
    atomic_store(&site->made.owner, &another);
    atomic_store(&site->ended.owner, &another);
}

static void end_of_row(struct task *t, int i, int is_spared)
{
    if (!is_spared) {
        loiter_task_exit(&t->loiter);
        assert_int_equal(counted->live, 0);
        return;
    }
    end_spared(&t->loiter);
    assert_in_range(counted->live, 0, 1);
    if (i == MANY - 1) {
        pl_spawners_settle();
        assert_int_equal(counted->live, 0);
        assert_int_equal(counted->count, i + 1);
    }
}

/* One by one, each waited for. */
__attribute__((noinline)) static void make_row(int gives_away, int is_spared)
{
    const uint32_t rounds = parent_actor->rounds;
    int late = 0;
    for (volatile int i = 0; i < MANY; i++) {
        struct task *t = &many[i];
        create_many(i, i + 1);
        counted = site();
        if (gives_away && i == 0)
            give_away(pl_self()->thread->spawn_site);
        late += counted->count != (uint64_t)i + 1;
        assert_in_range((uint64_t)i + 1 - counted->count, 0, (uint64_t)i / 16);
        assert_int_equal(counted->live, 1);
        if (loiter_task_looks(&t->loiter))
            assert_int_equal(pl_brood_of(&t->loiter)->kin.made_in, parent_actor->rounds);
        disturb_row(t, i);
        wait_for_group();
        assert_int_equal(parent_actor->rounds, rounds + (uint32_t)i + 1);
        end_group(t);
        assert_true(parent_actor->cell->waker == (EL_ACTOR_TASK | t->loiter.id));
        end_of_row(t, i, is_spared);
        run(&parent);
    }
    assert_true(late > MANY / 2);
    create_many(0, 1); /* elsewhere */
    assert_int_equal(counted->count, MANY);
    assert_int_equal(counted->live, 0);
    assert_int_equal(counted->backpressure, MANY - 1);
    assert_int_equal(counted->peak, 1);
    assert_int_equal(counted->run_peak, 1);
    loiter_task_exit(&many[0].loiter);
    loiter_object_destroyed(LOITER_OBJ_CHAN, &chan, 0);
}

static void tasks_of_a_row_are_counted_together(void **state)
{
    (void)state;
    make_row(0, 0);
    sink++;
}

static void rows_are_counted_where_the_counters_are_another_thread_s(void **state)
{
    (void)state;
    make_row(1, 0);
    sink++;
}

/* ---- ends that are not announced ---- */

static int begin_spared(void **state)
{
    int r = begin(state);
    unannounced = 0;
    spared = others = (struct loiter_spared){NULL, 0, NULL};
    loiter_worker_spared(&spared);
    return r;
}

static void tasks_of_a_row_end_unannounced(void **state)
{
    (void)state;
    make_row(0, 1);
    assert_in_range(unannounced, MANY / 2, MANY - 1);
    sink++;
}

static void end_many_spared(int from, int to)
{
    for (int i = from; i < to; i++)
        end_spared(&many[i].loiter);
}

static void many_end_unannounced_and_are_counted(void **state)
{
    (void)state;
    create_many(0, MANY);
    end_many_spared(0, MANY);
    assert_in_range(unannounced, MANY / 2, MANY - 1);
    pl_spawners_settle();
    assert_int_equal(site()->count, MANY);
    assert_int_equal(site()->live, 0);
}

static void the_end_of_one_that_is_shown_is_announced(void **state)
{
    (void)state;
    create_many(0, MANY);
    end_many_spared(0, MANY / 2);
    assert_true(spared.ends != 0);
    loiter_task_computes(&many[MANY - 1].loiter);
    assert_int_equal(pl_young_shown, 1);
    const int before = unannounced;
    end_spared(&(struct loiter_task){.id = 0}); /* one that was made unseen */
    assert_int_equal(unannounced, before);
    end_spared(&many[MANY - 1].loiter);
    assert_int_equal(unannounced, before);
    assert_int_equal(pl_young_shown, 0);
    end_many_spared(MANY / 2, MANY - 1);
    assert_true(unannounced > before); /* others' again are not */
    pl_spawners_settle();
    assert_int_equal(site()->live, 0);
}

/* The thread has other words, and then none. */
static void what_ended_is_counted_though_the_words_move(void **state)
{
    (void)state;
    create_many(0, MANY);
    end_many_spared(0, MANY / 4);
    assert_true(spared.ends != 0);
    const struct loiter_spared was = spared;
    loiter_worker_spared(&others);
    assert_ptr_equal(others.young, was.young);
    assert_int_equal(others.ends, was.ends);
    assert_int_equal(spared.ends, 0);
    loiter_worker_spared(NULL);
    assert_int_equal(others.ends, 0);
    assert_null(others.young);
    exit_many(MANY / 4, MANY);
    pl_spawners_settle();
    assert_int_equal(site()->live, 0);
}

/* It adds again and again to a group that one waits for who did not make it; until another waits.
 */
static void who_may_add_to_a_group_is_told(void **state)
{
    (void)state;
    wait_for_group();
    create_many(0, 2);
    end_group(&many[0]);
    run(&many[1]);
    many[1].stack = stack;
    loiter_waitgroup_waited(&chan, &place_one); /* which makes it the group's waiter */
    run(&parent);
    loiter_waitgroup_begun(&chan, &place_one);
    assert_non_null(spared.adder);
    assert_int_equal(spared.adder->group, (uintptr_t)&chan);
    assert_int_equal(spared.adder->task, parent.loiter.id);
    wait_for_group();
    assert_int_equal(spared.adder->task, 0);
    end_group(&many[1]);
    end_spared(&many[0].loiter);
    end_spared(&many[1].loiter);
    run(&parent);
    loiter_object_destroyed(LOITER_OBJ_CHAN, &chan, 0);
}

static void who_woke_is_told_though_it_is_another_each_time(void **state)
{
    (void)state;
    enum { WAITS = 200, ELSEWHERE = 50 };
    uint32_t by[WAITS];
    create_many(0, WAITS);
    for (volatile int i = 0; i < WAITS; i++) {
        const int elsewhere = i % ELSEWHERE == ELSEWHERE - 1;
        wait_for_group();
        if (elsewhere) {
            many[i].stack = stack;
            run(&many[i]);
            loiter_task_ready(&parent.loiter, &chan);
        } else {
            end_group(&many[i]);
        }
        const struct el_object *cell = pl_object_find((uint64_t)(uintptr_t)&chan);
        assert_true(cell->last_waker == (EL_ACTOR_TASK | many[i].loiter.id));
        assert_true(parent_actor->cell->waker == cell->last_waker);
        by[i] = cell->last_waker_stack;
        assert_int_not_equal(by[i], 0);
        assert_int_equal(by[i] != by[0], elsewhere);
        run(&parent);
    }
    exit_many(0, WAITS);
    loiter_object_destroyed(LOITER_OBJ_CHAN, &chan, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tasks_of_a_row_are_counted_together, begin, end),
        cmocka_unit_test_setup_teardown(rows_are_counted_where_the_counters_are_another_thread_s,
                                        begin, end),
        cmocka_unit_test_setup_teardown(tasks_of_a_row_end_unannounced, begin_spared, end),
        cmocka_unit_test_setup_teardown(many_end_unannounced_and_are_counted, begin_spared, end),
        cmocka_unit_test_setup_teardown(the_end_of_one_that_is_shown_is_announced, begin_spared,
                                        end),
        cmocka_unit_test_setup_teardown(what_ended_is_counted_though_the_words_move, begin_spared,
                                        end),
        cmocka_unit_test_setup_teardown(who_may_add_to_a_group_is_told, begin_spared, end),
        cmocka_unit_test_setup_teardown(who_woke_is_told_though_it_is_another_each_time, begin,
                                        end),
    };
    return cmocka_run_group_tests(tests, made_begin, made_end_here);
}
