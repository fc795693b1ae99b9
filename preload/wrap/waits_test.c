/* waits_test.c - waits like the task's last, which take a way of their own: what that must not
 * miss. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <loiter.h>

#include "preload/core/actor.h"
#include "preload/core/made_record.h"
#include "preload/core/object.h"

static volatile int sink;
static uint64_t last_id;
static char place_one; /* stands for a return address into the program */

static void task_main(void) {}

static uint64_t key(const void *object)
{
    return (uint64_t)(uintptr_t)object;
}

/* The cell of the task; before it is handed out it is nobody's. */
static struct el_actor *cell_of(struct loiter_task *t)
{
    loiter_task_switch(t);
    return pl_self()->actor->cell;
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
    loiter_task_switch(t);
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
    loiter_run_begin("test", 1);
    loiter_tick();
    struct loiter_task a = create(), b = create();
    const struct el_actor *cell = cell_of(&a);
    uint32_t stacks[40];
    for (volatile int i = 0; i < 40; i++) {
        loiter_task_switch(&a);
        (i < 4 ? park_here : park_there)(&a, &chan);
        stacks[i] = cell->wait_stack;
        loiter_task_switch(&b);
        wake(&a, &chan);
    }
    assert_true(stacks[1] == stacks[0] && stacks[3] == stacks[0]);
    assert_int_not_equal(stacks[20], stacks[0]);
    assert_int_equal(stacks[39], stacks[20]);
    loiter_task_exit(&a);
    loiter_task_exit(&b);
    loiter_task_switch(NULL);
    loiter_run_end();
    loiter_object_destroyed(LOITER_OBJ_CHAN, &chan, 0);
}

/* A channel with room: whoever else receives is told of, and who sends without a rest. */
static void a_channel_with_room_learns_who_uses_it(void **state)
{
    (void)state;
    static int chan;
    static size_t count;
    loiter_run_begin("test", 1);
    loiter_tick();
    struct loiter_task a = create(), b = create();
    const uint64_t a_id = cell_of(&a)->actor, b_id = cell_of(&b)->actor;
    loiter_object_created(LOITER_OBJ_CHAN, &chan, 4, &place_one);
    loiter_object_items(&chan, &count, 8);
    const struct pl_object *o = pl_object_look(pl_self(), key(&chan));
    for (volatile int i = 0; i < 6; i++) {
        struct loiter_task *one = i < 3 ? &a : &b, *other = i < 3 ? &b : &a;
        loiter_task_switch(one);
        park(one, &chan);
        assert_true(o->receiver == (i < 3 ? a_id : b_id));
        assert_int_equal(o->left & EL_LEFT_RECEIVED, EL_LEFT_RECEIVED);
        assert_int_equal(o->cell->waits, i + 1);
        loiter_task_switch(other);
        wake(one, &chan);
        assert_int_equal(o->cell->wakes, i + 1);
        assert_true(o->cell->last_waker == (i < 3 ? b_id : a_id));
        if (i != 0 && i != 3)
            assert_int_equal(o->left & EL_LEFT_STREAM, EL_LEFT_STREAM);
    }
    loiter_task_exit(&a);
    loiter_task_exit(&b);
    loiter_task_switch(NULL);
    loiter_run_end();
    loiter_object_destroyed(LOITER_OBJ_CHAN, &chan, 0);
}

static int end(void **state)
{
    loiter_task_switch(NULL);
    return made_end(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_place_is_looked_at_closely_now_and_then),
        cmocka_unit_test(a_channel_with_room_learns_who_uses_it),
    };
    return cmocka_run_group_tests(tests, made_begin, end);
}
