/* announce_test.c - what the record says of tasks, objects and timers after a runtime's calls. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <loiter.h>

#include "preload/core/actor.h"
#include "preload/core/cfi.h"
#include "preload/core/clock.h"
#include "preload/core/object.h"
#include "preload/core/options.h"
#include "preload/core/record.h"
#include "preload/core/timer_cell.h"

static volatile int sink;
static uint64_t last_id;
static char place_one, place_two; /* stand for return addresses into the program */

static void task_main(void) {}

static uint64_t key(const void *object)
{
    return (uint64_t)(uintptr_t)object;
}

/* The cell of the task; before it is handed out it is nobody's. */
static struct el_actor *cell_of(const struct loiter_task *t)
{
    loiter_task_switch((struct loiter_task *)(uintptr_t)t);
    return pl_self()->actor->cell;
}

static struct loiter_task create(void)
{
    struct loiter_task t = {++last_id, NULL};
    loiter_task_created(&t, task_main, 65536, 0, &place_one);
    assert_non_null(t.tool);
    return t;
}

__attribute__((noinline)) static void park(struct loiter_task *t, const void *object)
{
    loiter_task_park(t, LOITER_WAIT_RECV, &object, 1, 0, &place_one);
    sink++;
}

__attribute__((noinline)) static void park_elsewhere(struct loiter_task *t, const void *object)
{
    loiter_task_park(t, LOITER_WAIT_RECV, &object, 1, 0, &place_two);
    sink++;
}

/* Whoever runs makes it ready, and it goes on. */
__attribute__((noinline)) static void wake(struct loiter_task *t, const void *object)
{
    loiter_task_ready(t, object);
    loiter_task_switch(t);
    sink++;
}

static void waits_that_are_over_leave_what_the_rules_ask_for(void **state)
{
    (void)state;
    static int chan;
    struct loiter_task a = create(), b = create();
    struct el_actor *cell = cell_of(&a);
    uint64_t b_id = cell_of(&b)->actor;
    for (volatile int i = 1; i <= 3; i++) {
        loiter_task_switch(&a);
        assert_int_equal(cell->state, EL_ACTOR_RUNNING);
        park(&a, &chan);
        assert_int_equal(cell->state, EL_ACTOR_WAITING);
        assert_int_equal(cell->wait_kind, EL_WAIT_CHAN_RECV);
        assert_int_equal(cell->object, key(&chan));
        assert_int_equal(cell->waits_here, i);
        loiter_task_switch(&b);
        wake(&a, &chan);
        assert_int_equal(cell->wait_kind, EL_WAIT_NONE);
        assert_int_equal(cell->waker, b_id);
    }
    const struct el_object *object = pl_object_find(key(&chan));
    assert_non_null(object);
    assert_int_equal(object->waits, 3);
    assert_int_equal(object->wakes, 3);
    assert_int_equal(object->last_waker, b_id);
    assert_int_equal(object->last_waiter, cell->actor);
    assert_in_range(object->last_waker_at, object->created_at, pl_self()->now);
    park_elsewhere(&a, &chan);
    assert_int_equal(cell->waits_here, 1);
    loiter_task_unpark(&a);
    assert_int_equal(cell->state, EL_ACTOR_RUNNING);
    loiter_task_exit(&a);
    loiter_task_exit(&b);
    loiter_object_destroyed(LOITER_OBJ_CHAN, &chan, 0);
    assert_null(pl_object_find(key(&chan)));
}

/* The clock is read at the end of a wait unless the same switch began one. */
static void the_time_of_a_wait_is_that_of_its_end(void **state)
{
    (void)state;
    static int chan;
    const uint64_t while_ticks = pl_ticks_of_ns(100000);
    struct loiter_task a = create();
    const struct el_actor *cell = cell_of(&a);
    park(&a, &chan);
    const uint64_t since = cell->since;
    loiter_task_switch(NULL);
    while (pl_now() - since < while_ticks)
        sink++;
    wake(&a, &chan);
    const struct el_object *object = pl_object_find(key(&chan));
    assert_true(object->wait_ticks >= while_ticks);
    park(&a, &chan);
    assert_true(cell->since >= since + while_ticks);
    loiter_task_unpark(&a);
    loiter_task_exit(&a);
    loiter_object_destroyed(LOITER_OBJ_CHAN, &chan, 0);
}

static void an_object_that_a_task_waits_for_stays_until_it_went_on(void **state)
{
    (void)state;
    static int chan;
    struct loiter_task a = create();
    cell_of(&a);
    loiter_object_created(LOITER_OBJ_CHAN, &chan, 0, &place_one);
    const struct el_object *first = pl_object_find(key(&chan));
    park(&a, &chan);
    loiter_task_switch(NULL);
    loiter_object_destroyed(LOITER_OBJ_CHAN, &chan, 0);
    assert_int_equal(first->state, EL_GONE);
    loiter_object_created(LOITER_OBJ_CHAN, &chan, 0, &place_one);
    const struct el_object *second = pl_object_find(key(&chan));
    assert_ptr_not_equal(second, first);
    wake(&a, NULL);
    assert_int_equal(first->state, EL_FREE);
    assert_int_equal(second->state, EL_LIVE);
    park(&a, &chan);
    assert_int_equal(second->waits, 1);
    wake(&a, &chan);
    loiter_task_exit(&a);
    loiter_object_destroyed(LOITER_OBJ_CHAN, &chan, 0);
    assert_int_equal(second->state, EL_FREE);
}

static void a_record_that_is_used_again_knows_nothing_of_before(void **state)
{
    (void)state;
    static int chan, lock;
    struct loiter_task a = create();
    struct el_actor *cell = cell_of(&a);
    park(&a, &chan);
    wake(&a, &chan);
    loiter_lock_acquired(LOITER_WAIT_MUTEX, &lock, &place_one);
    assert_int_equal(pl_self()->actor->held_count, 1);
    loiter_lock_released(&lock, &a);
    assert_int_equal(pl_self()->actor->held_count, 0);
    loiter_task_exit(&a);
    struct loiter_task b = create();
    assert_ptr_equal(cell_of(&b), cell);
    assert_int_equal(cell->actor, EL_ACTOR_TASK | b.id);
    assert_int_equal(cell->wait_kind, EL_WAIT_NONE);
    assert_int_equal(cell->wait_stack, 0);
    assert_int_equal(cell->waits_here, 0);
    assert_int_equal(cell->waker, 0);
    assert_int_equal(cell->object, 0);
    assert_int_equal(pl_self()->actor->held_count, 0);
    loiter_task_exit(&b);
    loiter_object_destroyed(LOITER_OBJ_CHAN, &chan, 0);
}

static const struct el_site *task_site(void)
{
    return pl_self()->thread->spawn_site->cell;
}

static void what_is_made_at_a_place_adds_up(void **state)
{
    (void)state;
    struct loiter_task t[3];
    uint64_t made = pl_log.summary->tasks, count = 0, bytes = 0;
    size_t sizes[3] = {65536, 65536, 16384};
    for (volatile int i = 0; i < 3; i++) {
        t[i] = (struct loiter_task){++last_id, NULL};
        loiter_task_created(&t[i], task_main, sizes[i], 0, &place_two);
        if (i == 0) {
            count = task_site()->count;
            bytes = task_site()->bytes;
        }
    }
    assert_int_equal(pl_log.summary->tasks, made + 3);
    assert_int_equal(task_site()->count, count + 2);
    assert_int_equal(task_site()->bytes, bytes + 65536 + 16384);
    assert_int_equal(task_site()->live, 3);
    for (int i = 0; i < 3; i++)
        loiter_task_exit(&t[i]);
    assert_int_equal(task_site()->live, 0);
}

__attribute__((noinline)) static void arm(const void *timer, const void *caller)
{
    loiter_timer_armed(LOITER_OBJ_TIMER, timer, 1000000, 0, 1, caller);
    sink++;
}

static void a_timer_is_set_again(void **state)
{
    (void)state;
    static int timer;
    loiter_run_begin("test", 1);
    arm(&timer, &place_one);
    const struct el_timer *cell = pl_timer_find(EL_OBJ_TIMER, key(&timer));
    assert_non_null(cell);
    for (volatile int i = 0; i < 3; i++) {
        loiter_timer_stopped(&timer);
        assert_int_equal(cell->state, EL_TIMER_STOPPED);
        arm(&timer, &place_one);
        assert_int_equal(cell->state, EL_TIMER_ARMED);
    }
    const uint32_t place = cell->armed_stack;
    arm(&timer, &place_two); /* for one that fires once the first place stays */
    assert_int_equal(cell->armed_stack, place);
    loiter_timer_fired(&timer, 0);
    assert_int_equal(cell->state, EL_TIMER_IDLE);
    assert_int_equal(cell->fires, 1);
    loiter_timer_armed(LOITER_OBJ_TIMER, &timer, 7, 5, 1, &place_one); /* now it repeats */
    assert_int_equal(cell->period_ns, 5);
    arm(&timer, &place_one);
    assert_int_equal(cell->period_ns, 0);
    loiter_run_end();
    assert_int_equal(cell->flags & EL_TIMER_ABANDONED, EL_TIMER_ABANDONED);
    loiter_run_begin("test", 1);
    arm(&timer, &place_one); /* another life of the address: the first one stays as it ended */
    assert_int_equal(cell->flags & EL_TIMER_ABANDONED, EL_TIMER_ABANDONED);
    const struct el_timer *next = pl_timer_find(EL_OBJ_TIMER, key(&timer));
    assert_non_null(next);
    assert_ptr_not_equal(next, cell);
    loiter_timer_destroyed(&timer);
    assert_null(pl_timer_find(EL_OBJ_TIMER, key(&timer)));
    loiter_run_end();
}

static char dir[] = "/tmp/loiter-announce-test-XXXXXX";

static int begin(void **state)
{
    (void)state;
    if (mkdtemp(dir) == NULL || setenv("LOITER_DIR", dir, 1) != 0)
        return -1;
    pl_options_read();
    pl_cfi_start();
    pl_self()->stack_hi = 0;
    pl_record_start(EL_CAUSE_START);
    return pl_is_ready() ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    loiter_task_switch(NULL);
    pl_record_forget();
    char command[128] = "rm -rf ";
    return system(strcat(command, dir));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_that_are_over_leave_what_the_rules_ask_for),
        cmocka_unit_test(the_time_of_a_wait_is_that_of_its_end),
        cmocka_unit_test(an_object_that_a_task_waits_for_stays_until_it_went_on),
        cmocka_unit_test(a_record_that_is_used_again_knows_nothing_of_before),
        cmocka_unit_test(what_is_made_at_a_place_adds_up),
        cmocka_unit_test(a_timer_is_set_again),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
