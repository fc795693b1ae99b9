/* passing_test.c - waits that are not announced: that they are counted, and that whatever else
 * comes tells of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <loiter.h>
#include <pthread.h>

#include "preload/core/actor.h"
#include "preload/core/group.h"
#include "preload/core/made_record.h"
#include "preload/core/object.h"
#include "preload/core/passing.h"
#include "preload/core/stack.h"

static volatile int sink;
static uint64_t last_id;
static char place_one, place_two; /* stand for return addresses into the program */
static const void *volatile running;
static int chan, other_chan, lock, no_chan;
static int announced; /* calls */

static void task_main(void) {}

static void run(struct loiter_task *t)
{
    running = t;
}

static struct pl_actor *actor_of(const struct loiter_task *t)
{
    return t->tool;
}

static const struct el_actor *cell_of(const struct loiter_task *t)
{
    return actor_of(t)->cell;
}

static const struct el_object *object(const int *of)
{
    return pl_object_find((uint64_t)(uintptr_t)of);
}

static int begin(void **state)
{
    (void)state;
    loiter_run_begin("test", 1);
    loiter_waits_pass();
    loiter_worker_task(&running, 0);
    loiter_tick();
    announced = 0;
    return 0;
}

static int end(void **state)
{
    (void)state;
    run(NULL);
    loiter_object_destroyed(LOITER_OBJ_CHAN, &chan, 0);
    loiter_object_destroyed(LOITER_OBJ_CHAN, &other_chan, 0);
    loiter_run_end();
    loiter_worker_task(NULL, 0);
    return 0;
}

static struct loiter_task create(void)
{
    struct loiter_task t = {++last_id, NULL};
    loiter_task_created(&t, task_main, 65536, 0, &place_one, NULL);
    assert_non_null(t.tool);
    char *here = __builtin_frame_address(0); /* all run on this thread's */
    loiter_task_stack(&t, here - 65536, here + 1024);
    return t;
}

/* A round, or a part of one, each time from the same frames: how `a` waits, and what for, and by
 * which object it is woken. */
enum { PARKS = 1, WAKES = 2 };
static unsigned part;
static const void *on, *woken;
static const char *caller;
static int selects, by_other;
static const void *const *objects;

static void usual(void)
{
    part = PARKS | WAKES;
    on = woken = &chan;
    caller = &place_one;
    selects = by_other = 0;
}

/* As a runtime does it. */
__attribute__((noinline)) static void park_from(struct loiter_task *t)
{
    if (!loiter_wait_passes(t, LOITER_WAIT_RECV, on, caller, __builtin_dwarf_cfa())) {
        loiter_task_park(t, LOITER_WAIT_RECV, &on, 1, 0, caller);
        announced++;
    }
    sink++;
}

__attribute__((noinline)) static void park(struct loiter_task *t)
{
    park_from(t);
    sink++;
}

__attribute__((noinline)) static void park_by_other(struct loiter_task *t)
{
    park_from(t);
    sink += 2;
}

__attribute__((noinline)) static void wait_for_group(struct loiter_task *t, const void *group)
{
    if (!loiter_wait_passes(t, LOITER_WAIT_GROUP, group, &place_one, __builtin_dwarf_cfa())) {
        loiter_task_park(t, LOITER_WAIT_GROUP, &group, 1, 0, &place_one);
        announced++;
    }
    sink++;
}

__attribute__((noinline)) static void choose(struct loiter_task *t)
{
    const unsigned n = (unsigned)selects;
    if (!loiter_select_passes(t, objects, n, &place_two, __builtin_dwarf_cfa())) {
        loiter_task_park(t, LOITER_WAIT_SELECT, objects, n, 0, &place_two);
        announced++;
    }
    sink++;
}

__attribute__((noinline)) static void wake(struct loiter_task *t, const void *by)
{
    const struct loiter_task *me = (const struct loiter_task *)running;
    if (me == NULL || !loiter_waking_passes(t, by, me, __builtin_dwarf_cfa())) {
        loiter_task_ready(t, by);
        announced++;
    }
    sink++;
}

__attribute__((noinline)) static void round_of(struct loiter_task *a, struct loiter_task *b)
{
    announced = 0;
    if (part & PARKS) {
        run(a);
        if (selects)
            choose(a);
        else if (by_other)
            park_by_other(a);
        else
            park(a);
    }
    if (part & WAKES) {
        run(b);
        wake(a, woken);
    }
    sink++;
}

/* So many, or until one passes. */
enum { USED = 100 };
__attribute__((noinline)) static void rounds(struct loiter_task *a, struct loiter_task *b, int n)
{
    for (volatile int i = 0; i < n; i++) {
        round_of(a, b);
        if (n == USED && announced == 0)
            return;
    }
    if (n == USED)
        fail_msg("no wait passes");
    sink++;
}

/* These two are in place everywhere: as calls they would have frames, which differ in size. */
#define IN_PLACE static inline __attribute__((always_inline))

IN_PLACE void get_used(struct loiter_task *a, struct loiter_task *b)
{
    usual();
    rounds(a, b, USED);
}

IN_PLACE void only(unsigned which, struct loiter_task *a, struct loiter_task *b)
{
    part = which;
    rounds(a, b, 1);
    part = PARKS | WAKES;
}

static void tell_all(void)
{
    struct pl_self *self = pl_enter();
    pl_passings_end();
    pl_leave(self);
}

static void those_that_pass_are_counted(void **state)
{
    (void)state;
    struct loiter_task a = create(), b = create();
    usual();
    int told = 0;
    for (volatile int i = 0; i < 300; i++) {
        rounds(&a, &b, 1);
        told += announced;
    }
    assert_in_range(told, 4, 60);
    assert_in_range(object(&chan)->waits, 300 - PL_PASSING_MOST, 300);
    tell_all();
    assert_int_equal(object(&chan)->waits, 300);
    assert_int_equal(object(&chan)->wakes, 300);
    assert_int_equal(cell_of(&a)->waits_here, 300);
    assert_true(object(&chan)->last_waker == cell_of(&b)->actor);
    assert_int_not_equal(cell_of(&a)->state, EL_ACTOR_WAITING);
    loiter_task_exit(&a);
    loiter_task_exit(&b);
}

static void assert_waits(const struct loiter_task *t)
{
    const struct el_actor *cell = cell_of(t);
    assert_int_equal(cell->state, EL_ACTOR_WAITING);
    assert_int_equal(cell->wait_kind, EL_WAIT_CHAN_RECV);
    assert_true(cell->object == (uint64_t)(uintptr_t)&chan);
    assert_int_not_equal(cell->wait_stack, 0);
    assert_true(object(&chan)->last_waiter == cell->actor);
}

static void one_that_lasts_is_told_at_the_second_tick(void **state)
{
    (void)state;
    struct loiter_task a = create(), b = create();
    get_used(&a, &b);
    const uint32_t waits = object(&chan)->waits + actor_of(&a)->again.passed;
    only(PARKS, &a, &b);
    assert_int_equal(announced, 0);
    assert_int_not_equal(cell_of(&a)->state, EL_ACTOR_WAITING);
    loiter_tick();
    assert_int_not_equal(cell_of(&a)->state, EL_ACTOR_WAITING);
    loiter_tick();
    assert_waits(&a);
    assert_int_equal(object(&chan)->waits, waits + 1);
    only(WAKES, &a, &b);
    assert_int_equal(announced, 1);
    assert_int_equal(cell_of(&a)->state, EL_ACTOR_RUNNABLE);
    assert_int_equal(object(&chan)->wakes, waits + 1);
    loiter_task_exit(&a);
    loiter_task_exit(&b);
}

static void the_end_of_a_run_finds_it_waiting(void **state)
{
    (void)state;
    struct loiter_task a = create(), b = create();
    get_used(&a, &b);
    only(PARKS, &a, &b);
    assert_int_equal(announced, 0);
    const struct el_actor *cell = cell_of(&a);
    run(NULL);
    loiter_run_end();
    assert_int_equal(cell->state, EL_ACTOR_ABANDONED);
    assert_int_equal(cell->wait_kind, EL_WAIT_CHAN_RECV);
    assert_true(cell->object == (uint64_t)(uintptr_t)&chan);
    loiter_run_begin("test", 1);
}

static void another_waking_is_announced(void **state)
{
    (void)state;
    struct loiter_task a = create(), b = create(), c = create();
    for (volatile int who = 0; who < 4; who++) { /* another task, object, time; nobody */
        get_used(&a, &b);
        only(PARKS, &a, &b);
        assert_int_equal(announced, 0);
        woken = who == 1 ? &other_chan : &chan;
        if (who == 2)
            loiter_tick();
        only(WAKES, &a, who == 0 ? &c : who == 3 ? NULL : &b);
        assert_int_equal(announced, 1);
        assert_int_equal(cell_of(&a)->state, EL_ACTOR_RUNNABLE);
        assert_int_equal(actor_of(&a)->again.waits, 0);
        if (who == 0)
            assert_true(cell_of(&a)->waker == cell_of(&c)->actor);
    }
    loiter_task_exit(&a);
    loiter_task_exit(&b);
    loiter_task_exit(&c);
}

/* What says who a task is was given to another one. */
static void who_woke_it_is_not_taken_for_another_one(void **state)
{
    (void)state;
    struct loiter_task a = create(), b = create();
    get_used(&a, &b);
    only(PARKS, &a, &b);
    run(NULL);
    const void *before = b.tool;
    loiter_task_exit(&b);
    struct loiter_task c = create();
    assert_ptr_equal(c.tool, before);
    only(WAKES, &a, &c);
    assert_int_equal(announced, 1);
    assert_true(object(&chan)->last_waker == cell_of(&c)->actor);
    loiter_task_exit(&a);
    loiter_task_exit(&c);
}

static void another_wait_is_announced(void **state)
{
    (void)state;
    struct loiter_task a = create(), b = create();
    run(&a);
    loiter_lock_acquired(LOITER_WAIT_MUTEX, &lock, &place_one); /* its list has room then */
    loiter_lock_released(&lock, NULL);
    for (volatile int what = 0; what < 6; what++) {
        get_used(&a, &b);
        if (what == 0)
            on = woken = &other_chan;
        else if (what == 1)
            caller = &place_two;
        else if (what == 2)
            by_other = 1;
        else if (what == 3)
            loiter_tick();
        run(&a);
        if (what == 4) {
            loiter_object_destroyed(LOITER_OBJ_CHAN, &chan, 0);
            loiter_object_created(LOITER_OBJ_CHAN, &chan, 0, &place_one);
        } else if (what == 5) {
            loiter_lock_acquired(LOITER_WAIT_MUTEX, &lock, &place_one);
        }
        only(PARKS, &a, &b);
        assert_int_equal(announced, 1);
        assert_int_equal(cell_of(&a)->state, EL_ACTOR_WAITING);
        only(WAKES, &a, &b);
        assert_int_equal(announced, 1);
    }
    run(&a);
    loiter_lock_released(&lock, NULL);
    loiter_task_exit(&a);
    loiter_task_exit(&b);
}

static void none_passes_while_a_lock_is_held(void **state)
{
    (void)state;
    struct loiter_task a = create(), b = create();
    usual();
    run(&a);
    loiter_lock_acquired(LOITER_WAIT_MUTEX, &lock, &place_one);
    for (volatile int i = 0; i < 200; i++) {
        rounds(&a, &b, 1);
        assert_int_equal(announced, 2);
    }
    run(&a);
    loiter_lock_released(&lock, NULL);
    get_used(&a, &b);
    loiter_task_exit(&a);
    loiter_task_exit(&b);
}

static void a_select_passes_too(void **state)
{
    (void)state;
    struct loiter_task a = create(), b = create();
    const void *const both[2] = {&chan, &other_chan}, *const one[2] = {&chan, &no_chan};
    usual();
    selects = 2;
    objects = both;
    woken = &other_chan;
    int told = 0;
    for (volatile int i = 0; i < 300; i++) {
        rounds(&a, &b, 1);
        told += announced;
    }
    assert_in_range(told, 4, 60);
    tell_all();
    assert_int_equal(object(&other_chan)->wakes, 300);
    assert_int_equal(object(&chan)->wakes, 0);
    assert_int_equal(cell_of(&a)->waits_here, 300);
    for (volatile int n = 1; n < 3; n++) { /* another number of objects, and another object */
        selects = 2;
        objects = both;
        rounds(&a, &b, USED);
        selects = n;
        objects = n == 1 ? both : one;
        only(PARKS, &a, &b);
        assert_int_equal(announced, 1);
        assert_int_equal(cell_of(&a)->state, EL_ACTOR_WAITING);
        only(WAKES, &a, &b);
    }
    loiter_task_exit(&a);
    loiter_task_exit(&b);
}

/* What is added to a group behind the back of who waits is known by the round of its wait. */
static void each_wait_for_a_group_is_a_round(void **state)
{
    (void)state;
    struct loiter_task a = create(), b = create();
    for (volatile uint32_t i = 0; i < 200; i++) {
        run(&a);
        wait_for_group(&a, &chan);
        assert_int_equal(actor_of(&a)->rounds, i + 1);
        assert_int_equal(actor_of(&a)->wait.waited->round, i + 1);
        run(&b);
        wake(&a, &chan);
    }
    assert_in_range(announced, 4, 60);
    loiter_task_exit(&a);
    loiter_task_exit(&b);
}

/* While somebody waits there without its being announced. */
static void an_object_that_goes_is_seen_to_be_waited_for(void **state)
{
    (void)state;
    struct loiter_task a = create(), b = create();
    get_used(&a, &b);
    const struct el_object *cell = object(&chan);
    only(PARKS, &a, &b);
    assert_int_equal(announced, 0);
    run(&b);
    loiter_object_destroyed(LOITER_OBJ_CHAN, &chan, 0);
    assert_int_equal(cell_of(&a)->state, EL_ACTOR_WAITING);
    assert_int_equal(cell->state, EL_GONE);
    only(WAKES, &a, &b);
    loiter_task_exit(&a);
    loiter_task_exit(&b);
}

/* ---- looked at by one thread, made ready by another ---- */

enum { RACES = 300000 };
static volatile int over;

static void *look_all_the_time(void *arg)
{
    (void)arg;
    while (!over)
        tell_all();
    return NULL;
}

/* However it meets the end of the wait: it is told and ended, or counted. */
static void a_look_and_a_waking_meet(void **state)
{
    (void)state;
    struct loiter_task a = create(), b = create();
    pthread_t looker;
    int passed = 0;
    over = 0;
    usual();
    assert_int_equal(pthread_create(&looker, NULL, look_all_the_time, NULL), 0);
    for (volatile int i = 0; i < RACES; i++) {
        rounds(&a, &b, 1);
        passed += announced == 0;
        if (cell_of(&a)->state == EL_ACTOR_WAITING)
            fail_msg("it runs, and is said to wait");
    }
    over = 1;
    pthread_join(looker, NULL);
    tell_all();
    assert_in_range(passed, 1, RACES);
    assert_int_not_equal(cell_of(&a)->state, EL_ACTOR_WAITING);
    assert_int_equal(cell_of(&a)->wait_kind, EL_WAIT_NONE);
    loiter_task_exit(&a);
    loiter_task_exit(&b);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(those_that_pass_are_counted),
        TEST(one_that_lasts_is_told_at_the_second_tick),
        TEST(the_end_of_a_run_finds_it_waiting),
        TEST(another_waking_is_announced),
        TEST(who_woke_it_is_not_taken_for_another_one),
        TEST(another_wait_is_announced),
        TEST(none_passes_while_a_lock_is_held),
        TEST(a_select_passes_too),
        TEST(each_wait_for_a_group_is_a_round),
        TEST(an_object_that_goes_is_seen_to_be_waited_for),
        TEST(a_look_and_a_waking_meet),
    };
    return cmocka_run_group_tests(tests, made_begin, made_end);
}
