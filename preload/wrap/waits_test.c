/* waits_test.c - waits like the task's last, which take a way of their own: what that must not
 * miss. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <loiter.h>

#include "preload/core/actor.h"
#include "preload/core/channel.h"
#include "preload/core/made_record.h"
#include "preload/core/object.h"
#include "preload/core/wait.h"

static volatile int sink;
static uint64_t last_id;
static char place_one; /* stands for a return address into the program */
static const void *volatile running;

static void task_main(void) {}

static uint64_t key(const void *object)
{
    return (uint64_t)(uintptr_t)object;
}

static void run(struct loiter_task *t)
{
    running = t;
}

static const struct el_actor *cell_of(const struct loiter_task *t)
{
    return ((struct pl_actor *)t->tool)->cell;
}

static int begin(void **state)
{
    (void)state;
    loiter_run_begin("test", 1);
    loiter_worker_task(&running, 0);
    loiter_tick();
    return 0;
}

static int end(void **state)
{
    (void)state;
    run(NULL);
    loiter_run_end();
    loiter_worker_task(NULL, 0);
    return 0;
}

static struct loiter_task create(void)
{
    struct loiter_task t = {++last_id, NULL};
    loiter_task_created(&t, task_main, 65536, 0, &place_one, NULL);
    assert_non_null(t.tool);
    return t;
}

__attribute__((noinline)) static void park(struct loiter_task *t, const void *object)
{
    loiter_task_park(t, LOITER_WAIT_RECV, &object, 1, 0, &place_one);
    sink++;
}

__attribute__((noinline)) static void wake(struct loiter_task *t, const void *object)
{
    loiter_task_ready(t, object);
    sink++;
}

/* Places that differ further out than a quick look goes. */
__attribute__((noinline)) static void park_below(struct loiter_task *t, const void *object,
                                                 unsigned depth)
{
    if (depth == 0)
        park(t, object);
    else
        park_below(t, object, depth - 1);
    sink++;
}

__attribute__((noinline)) static void park_here(struct loiter_task *t, const void *object)
{
    park_below(t, object, 4);
    sink++;
}

__attribute__((noinline)) static void park_there(struct loiter_task *t, const void *object)
{
    park_below(t, object, 4);
    sink++;
}

static void a_place_is_looked_at_closely_now_and_then(void **state)
{
    (void)state;
    static int chan;
    struct loiter_task a = create(), b = create();
    const struct el_actor *cell = cell_of(&a);
    uint32_t stacks[160];
    for (volatile int i = 0; i < 160; i++) {
        run(&a);
        (i < 4 ? park_here : park_there)(&a, &chan);
        stacks[i] = cell->wait_stack;
        run(&b);
        wake(&a, &chan);
    }
    assert_true(stacks[1] == stacks[0] && stacks[3] == stacks[0]);
    assert_int_not_equal(stacks[80], stacks[0]);
    assert_int_equal(stacks[159], stacks[80]);
    loiter_task_exit(&a);
    loiter_task_exit(&b);
    loiter_object_destroyed(LOITER_OBJ_CHAN, &chan, 0);
}

/* A channel with room: whoever else receives is told of, and who sends without a rest. */
static void a_channel_with_room_learns_who_uses_it(void **state)
{
    (void)state;
    static int chan;
    static size_t count;
    struct loiter_task alike[2], b = create();
    for (volatile int i = 0; i < 2; i++)
        alike[i] = create();
    struct loiter_task a = alike[0], c = alike[1];
    const uint64_t a_id = cell_of(&a)->actor, b_id = cell_of(&b)->actor;
    loiter_object_created(LOITER_OBJ_CHAN, &chan, 4, &place_one);
    loiter_object_items(&chan, &count, 8);
    const struct pl_object *o = pl_object_look(pl_self(), key(&chan));
    static const char order[] = "aaabbbaabaab"; /* who waits, and the other one wakes it */
    for (volatile unsigned i = 0; order[i] != 0; i++) {
        const int first = order[i] == 'a';
        run(first ? &a : &b);
        park(first ? &a : &b, &chan);
        assert_true(o->receiver == (first ? a_id : b_id));
        assert_int_equal(o->left & EL_LEFT_RECEIVED, EL_LEFT_RECEIVED);
        assert_int_equal(o->cell->waits, i + 1);
        run(first ? &b : &a);
        wake(first ? &a : &b, &chan);
        assert_int_equal(o->cell->wakes, i + 1);
        assert_true(o->cell->last_waker == (first ? b_id : a_id));
        assert_int_equal(o->left & EL_LEFT_STREAM, i == 0 ? 0 : EL_LEFT_STREAM);
        if (i > 3)
            assert_int_equal(o->sides, PL_OTHER_SIDE); /* they were made at two places */
    }
    /* One of its own kind wakes it, from where the other did. */
    run(&a);
    park(&a, &chan);
    run(&c);
    wake(&a, &chan);
    assert_int_equal(o->sides, PL_SAME_SIDE | PL_OTHER_SIDE);
    loiter_task_exit(&a);
    loiter_task_exit(&b);
    loiter_task_exit(&c);
    loiter_object_destroyed(LOITER_OBJ_CHAN, &chan, 0);
}

/* What came in between is not taken for what the task left there. */
static void a_call_for_the_outside_comes_between_two_waits(void **state)
{
    (void)state;
    static int chan;
    struct loiter_task a = create(), b = create();
    const struct el_actor *cell = cell_of(&a);
    uint32_t stack = 0;
    for (volatile int i = 0; i < 12; i++) {
        run(&a);
        if (i == 8) {
            struct pl_wait w;
            pl_wait_begin(&w, EL_WAIT_READ, 3, 0, PL_CALL());
            assert_true(cell->object == 3);
            pl_wait_end(&w, 0);
        }
        park(&a, &chan);
        if (i == 0)
            stack = cell->wait_stack;
        assert_true(cell->object == key(&chan));
        assert_int_equal(cell->wait_stack, stack);
        assert_int_equal(cell->waits_here, i < 8 ? i + 1 : i - 7);
        run(&b);
        wake(&a, &chan);
    }
    loiter_task_exit(&a);
    loiter_task_exit(&b);
    loiter_object_destroyed(LOITER_OBJ_CHAN, &chan, 0);
}

/* The object learns of another waiter, and that it is not the one of before. */
static void an_object_that_has_changed_is_not_taken_for_the_same(void **state)
{
    (void)state;
    static int chan;
    struct loiter_task a = create(), b = create();
    const uint64_t a_id = cell_of(&a)->actor, b_id = cell_of(&b)->actor;
    static const char order[] = "aaaabaabbbaaa!aaab"; /* !: it is destroyed, and made again */
    uint32_t waits = 0;
    for (volatile unsigned i = 0; order[i] != 0; i++) {
        const int first = order[i] == 'a';
        if (order[i] == '!') {
            loiter_object_destroyed(LOITER_OBJ_CHAN, &chan, 0);
            loiter_object_created(LOITER_OBJ_CHAN, &chan, 0, &place_one);
            waits = 0;
            continue;
        }
        run(first ? &a : &b);
        park(first ? &a : &b, &chan);
        const struct el_object *cell = pl_object_find(key(&chan));
        assert_int_equal(cell->waits, ++waits);
        assert_true(cell->last_waiter == (first ? a_id : b_id));
        assert_int_not_equal(cell->last_waiter_stack, 0);
        run(first ? &b : &a);
        wake(first ? &a : &b, &chan);
        assert_int_equal(cell->wakes, waits);
        assert_true(cell->last_waker == (first ? b_id : a_id));
        assert_int_not_equal(cell->last_waker_stack, 0);
    }
    loiter_task_exit(&a);
    loiter_task_exit(&b);
    loiter_object_destroyed(LOITER_OBJ_CHAN, &chan, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_call_for_the_outside_comes_between_two_waits, begin, end),
        cmocka_unit_test_setup_teardown(an_object_that_has_changed_is_not_taken_for_the_same, begin,
                                        end),
        cmocka_unit_test_setup_teardown(a_place_is_looked_at_closely_now_and_then, begin, end),
        cmocka_unit_test_setup_teardown(a_channel_with_room_learns_who_uses_it, begin, end),
    };
    return cmocka_run_group_tests(tests, made_begin, made_end);
}
