/* wait_plain_test.c - waits within waits, and those of a plain thread at one place. */
#include "preload/core/made_record.h"
#include "preload/core/wait.h"

static volatile int sink;

static struct pl_actor *actor_of_test(void)
{
    return pl_self()->actor;
}

/* The thread is recorded from here on. */
static int begin(void **state)
{
    if (made_begin(state) != 0)
        return -1;
    pl_leave(pl_enter());
    return 0;
}

/* A call of the library within which another comes, as a handler's does. */
__attribute__((noinline)) static void inner_wait(void)
{
    struct pl_wait inner;
    const struct el_actor *cell = actor_of_test()->cell;
    assert_int_equal(pl_wait_begin(&inner, EL_WAIT_WRITE, 6, 0, PL_CALL()), 1);
    assert_int_equal(cell->wait_kind, EL_WAIT_WRITE);
    assert_int_equal(cell->object, 6);
    assert_int_equal(cell->flags & EL_ACTOR_TIMED, 0);
    pl_wait_end(&inner, 0);
    sink++;
}

__attribute__((noinline)) static void outer_wait(int leave)
{
    struct pl_wait outer;
    const struct el_actor *cell = actor_of_test()->cell;
    assert_int_equal(pl_wait_begin(&outer, EL_WAIT_READ, 5, 1, PL_CALL()), 1);
    if (leave)
        return;
    uint64_t since = cell->since;
    inner_wait();
    assert_int_equal(cell->wait_kind, EL_WAIT_READ);
    assert_int_equal(cell->object, 5);
    assert_int_equal(cell->since, since);
    assert_int_equal(cell->flags & EL_ACTOR_TIMED, EL_ACTOR_TIMED);
    pl_wait_end(&outer, 0);
    sink++;
}

static void waits_within_waits_are_put_back(void **state)
{
    (void)state;
    const struct el_actor *cell = actor_of_test()->cell;
    outer_wait(0);
    assert_int_equal(cell->wait_kind, EL_WAIT_NONE);
    assert_int_equal(cell->state, EL_ACTOR_RUNNING);
}

__attribute__((noinline)) static void inner_wait_deeper(void)
{
    volatile char room[4096];
    room[0] = 0;
    inner_wait();
    room[1] = room[0];
}

static void a_wait_that_was_left_is_not_put_back(void **state)
{
    (void)state;
    const struct el_actor *cell = actor_of_test()->cell;
    outer_wait(1);
    inner_wait_deeper();
    assert_int_equal(cell->wait_kind, EL_WAIT_NONE);
    assert_int_equal(cell->state, EL_ACTOR_RUNNING);
}

/* From one call, by two ways that differ further up only; gives the stack. */
__attribute__((noinline)) static uint32_t wait_here(uint64_t object, int timed)
{
    struct pl_wait w;
    const struct el_actor *cell = actor_of_test()->cell;
    assert_int_equal(pl_wait_begin(&w, EL_WAIT_POLL, object, timed, PL_CALL()), 1);
    assert_int_equal(cell->state, EL_ACTOR_WAITING);
    assert_int_equal(cell->wait_kind, EL_WAIT_POLL);
    assert_int_equal(cell->object, object);
    assert_int_equal(cell->wait_stack, w.stack);
    assert_int_equal(cell->waits_here, w.here);
    assert_int_equal(cell->flags & EL_ACTOR_TIMED, timed ? EL_ACTOR_TIMED : 0);
    const uint64_t since = cell->since;
    if (object == 9)
        inner_wait();
    assert_int_equal(cell->wait_kind, EL_WAIT_POLL);
    assert_int_equal(cell->since, since);
    pl_wait_end(&w, 0);
    assert_int_equal(cell->wait_kind, EL_WAIT_NONE);
    assert_int_equal(cell->state, EL_ACTOR_RUNNING);
    assert_int_equal(cell->flags & EL_ACTOR_TIMED, 0);
    assert_int_equal(pl_self()->wait_count, 0);
    return w.plain ? w.stack : 0;
}

__attribute__((noinline)) static uint32_t wait_nearer(uint64_t object)
{
    uint32_t stack = wait_here(object, object & 1);
    sink++;
    return stack;
}

__attribute__((noinline)) static uint32_t wait_between(uint64_t object)
{
    uint32_t stack = wait_nearer(object);
    sink++;
    return stack;
}

__attribute__((noinline)) static uint32_t wait_one_way(uint64_t object)
{
    uint32_t stack = wait_between(object);
    sink++;
    return stack;
}

__attribute__((noinline)) static uint32_t wait_other_way(uint64_t object)
{
    uint32_t stack = wait_between(object);
    sink += 2;
    return stack;
}

/* All from one line, so that the ways differ in nothing else. */
struct wait_step {
    uint32_t (*way)(uint64_t);
    uint64_t object;
    int with_lock;
    uint32_t stack, here; /* what came of it */
};

static void wait_steps(struct wait_step *steps, size_t n)
{
    struct pl_actor *actor = actor_of_test();
    for (size_t i = 0; i < n; i++) {
        if (steps[i].with_lock)
            pl_held_push(actor, EL_WAIT_MUTEX, steps, 77);
        steps[i].stack = steps[i].way(steps[i].object);
        steps[i].here = actor->cell->waits_here;
        if (steps[i].with_lock)
            assert_int_equal(pl_held_remove(actor, steps, NULL), 1);
    }
}

static void waits_at_one_place_are_told_as_they_are(void **state)
{
    (void)state;
    struct wait_step s[] = {
        {.way = wait_one_way, .object = 6},   {.way = wait_one_way, .object = 6},
        {.way = wait_one_way, .object = 7},   {.way = wait_one_way, .object = 9},
        {.way = wait_one_way, .object = 8},   {.way = wait_other_way, .object = 8},
        {.way = wait_other_way, .object = 8}, {.way = wait_other_way, .object = 7},
    };
    wait_steps(s, sizeof(s) / sizeof(s[0]));
    assert_int_equal(s[1].stack, 0);
    assert_int_not_equal(s[2].stack, 0);
    assert_int_equal(s[2].here, 3);
    assert_int_equal(s[5].stack, 0);
    assert_int_equal(s[5].here, 1);
    assert_int_not_equal(s[7].stack, 0);
    assert_int_not_equal(s[7].stack, s[2].stack);
}

/* A lock that is held is looked at when the wait is over. */
static void a_wait_with_a_lock_goes_the_long_way(void **state)
{
    (void)state;
    struct wait_step s[] = {
        {.way = wait_one_way, .object = 6}, {.way = wait_one_way, .object = 6},
        {.way = wait_one_way, .object = 6}, {.way = wait_one_way, .object = 6, .with_lock = 1},
        {.way = wait_one_way, .object = 6},
    };
    wait_steps(s, sizeof(s) / sizeof(s[0]));
    assert_int_not_equal(s[2].stack, 0);
    assert_int_equal(s[3].stack, 0);
    assert_int_not_equal(s[4].stack, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_within_waits_are_put_back),
        cmocka_unit_test(a_wait_that_was_left_is_not_put_back),
        cmocka_unit_test(waits_at_one_place_are_told_as_they_are),
        cmocka_unit_test(a_wait_with_a_lock_goes_the_long_way),
    };
    return cmocka_run_group_tests(tests, begin, made_end);
}
