/* making_test.c - tasks whose making is not announced: that they are counted, and that another one
 * is announced. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <loiter.h>

#include "preload/core/spawner.h"
#include "preload/wrap/made_rows.h"

static struct loiter_making making, other_words;
static int untold;

/* What the next task is like. */
static struct task *maker;
static const void *from;
static void (*start)(void);
static size_t captures, stack_bytes;
static int stays, lives, is_waited_for;
static int elsewhere; /* how far out the call comes from another place; 0: from the usual one */

/* In what the next one differs from those before. */
enum {
    PLACE,
    START,
    CAPTURE,
    STACK,
    MAKER,
    NEAR,
    NEXT,
    FAR,
    DEEPER,
    TICK,
    WORDS,
    NOT_WAITED,
    RUN,
    LIVES,
    ALIKE
};

static void other_main(void) {}

static void usual(void)
{
    maker = &parent;
    from = &place_one;
    start = task_main;
    captures = 24;
    stack_bytes = sizeof(stack);
    elsewhere = 0;
    is_waited_for = 1;
}

static int begin_making(void **state)
{
    const int r = begin(state);
    spared = (struct loiter_spared){NULL, 0, NULL};
    making = other_words = (struct loiter_making){0};
    loiter_worker_spared(&spared);
    loiter_worker_makes(&making);
    untold = 0;
    usual();
    return r;
}

/* As a runtime does it. */
__attribute__((noinline)) static void make(struct task *t)
{
    *t = (struct task){{++last_id, NULL}, NULL};
    run(maker);
    pl_self()->until_sample = 1000;
    const void *frame = elsewhere == DEEPER - NEAR + 1 ? &chan : __builtin_dwarf_cfa();
    if (loiter_making_passes(&making, &t->loiter, &maker->loiter, start, stack_bytes, captures,
                             from, frame))
        untold++;
    else
        loiter_task_created(&t->loiter, start, stack_bytes, captures, from, NULL);
    sink++;
}

/* Each makes it at one of two places. */
__attribute__((noinline)) static void make_near(struct task *t)
{
    if (elsewhere == 1) {
        make(t);
        sink += 2;
    } else {
        make(t);
        sink++;
    }
}

__attribute__((noinline)) static void make_here(struct task *t)
{
    if (elsewhere == 2) {
        make_near(t);
        sink += 2;
    } else {
        make_near(t);
        sink++;
    }
}

/* One is made, waited for, and ends, or is left as it was made. */
__attribute__((noinline)) static void one_of_row(int i)
{
    if (elsewhere == 3) {
        make_here(&many[i]);
        sink += 2;
    } else {
        make_here(&many[i]);
        sink++;
    }
    if (stays)
        return;
    if (is_waited_for) {
        wait_for_group();
        end_group(&many[i]);
    }
    if (!lives)
        end_spared(&many[i].loiter);
    run(&parent);
    sink++;
}

/* All from the same frames. */
__attribute__((noinline)) static void row(int first, int n)
{
    for (volatile int i = first; i < first + n; i++)
        one_of_row(i);
    sink++;
}

static void those_that_are_not_told_are_counted(void **state)
{
    (void)state;
    row(0, MANY);
    const struct el_site *counted = site();
    assert_in_range(untold, MANY / 2, MANY - 1);
    assert_in_range(MANY - counted->count, 0, MANY / 16);
    pl_spawners_settle();
    assert_int_equal(counted->count, MANY);
    assert_int_equal(counted->live, 0);
    create_many(0, 1); /* elsewhere */
    assert_int_equal(counted->count, MANY);
    assert_int_equal(counted->backpressure, MANY - 1);
    assert_int_equal(counted->peak, 1);
    assert_int_equal(counted->run_peak, 1);
    exit_many(0, 1);
    loiter_object_destroyed(LOITER_OBJ_CHAN, &chan, 0);
}

/* The run of the place is another one's, which presses. */
static void give_run_away(void)
{
    struct pl_spawn_run *gone = pl_self()->thread->spawner.run;
    struct pl_site *other = pl_site_get(EL_SITE_TASK, 7777, 0);
    assert_non_null(other);
    gone->site = other;
    gone->pressed = pl_spawn_pressing(other);
}

static void differ(int in)
{
    if (in == PLACE)
        from = &chan;
    else if (in == START)
        start = other_main;
    else if (in == CAPTURE)
        captures = 25;
    else if (in == STACK)
        stack_bytes = sizeof(stack) / 2;
    else if (in == MAKER)
        maker = &tasks[0];
    else if (in >= NEAR && in <= DEEPER)
        elsewhere = in - NEAR + 1;
    else if (in == TICK)
        loiter_tick();
    else if (in == WORDS)
        loiter_worker_makes(&other_words);
    else if (in == RUN)
        give_run_away();
}

/* One more, where the last was not told and the next would not be, but for that. All are made from
 * the same frames. */
static struct task *one_more(int in)
{
    usual();
    int used = 0;
    for (volatile int i = 0; i < MANY; i++) {
        const int before = untold;
        lives = in == LIVES && used == 1;
        stays = used == 2;
        is_waited_for = in != NOT_WAITED || used == 0;
        if (stays)
            differ(in);
        row(i, 1);
        if (stays) {
            stays = 0;
            assert_int_equal(untold, before + (in == ALIKE));
            return &many[i];
        }
        used = untold > before && making.left + (uint32_t)used > 2 ? used + 1 : 0;
    }
    fail_msg("none passes");
    return NULL;
}

static void one_of_a_row_has_its_birth(void **state)
{
    (void)state;
    struct task *t = one_more(ALIKE);
    const struct pl_brood *b = pl_brood_of(&t->loiter);
    assert_non_null(b);
    assert_int_equal(b->kin.made_in, parent_actor->rounds);
    assert_true(b->created_at == pl_self()->now);
    run(t);
    t->stack = stack;
    loiter_object_used(LOITER_OBJ_CONTEXT, &chan); /* it gets an actor */
    assert_false(loiter_task_looks(&t->loiter));
    const struct pl_actor *grown = t->loiter.tool;
    assert_true(grown->cell->creator == parent_actor->id);
    assert_int_equal(grown->cell->created_stack, site()->stack);
    assert_int_equal(site()->live, 1);
    loiter_task_exit(&t->loiter);
    assert_int_equal(site()->live, 0);
    run(&parent);
    loiter_object_destroyed(LOITER_OBJ_CHAN, &chan, 0);
}

static void another_is_told(void **state)
{
    (void)state;
    run(&parent);
    create(&tasks[0]);
    for (int in = PLACE; in < LIVES; in++) {
        struct task *t = one_more(in);
        end_spared(&t->loiter);
        loiter_worker_makes(&making);
        run(&parent);
    }
    loiter_task_exit(&tasks[0].loiter);
    loiter_object_destroyed(LOITER_OBJ_CHAN, &chan, 0);
}

/* More live than one: it is no row. */
static void one_beside_another_is_told(void **state)
{
    (void)state;
    struct task *t = one_more(LIVES);
    pl_spawners_settle();
    assert_int_equal(site()->live, 2);
    end_spared(&t[-1].loiter);
    end_spared(&t->loiter);
    pl_spawners_settle();
    assert_int_equal(site()->live, 0);
    loiter_object_destroyed(LOITER_OBJ_CHAN, &chan, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(those_that_are_not_told_are_counted, begin_making, end),
        cmocka_unit_test_setup_teardown(one_of_a_row_has_its_birth, begin_making, end),
        cmocka_unit_test_setup_teardown(another_is_told, begin_making, end),
        cmocka_unit_test_setup_teardown(one_beside_another_is_told, begin_making, end),
    };
    return cmocka_run_group_tests(tests, made_begin, made_end_here);
}
