/* post_test.c - wakings that are not announced: most are no more than a count of the record, and
 * the cell says the right thing all the same once somebody waits. */
#include <pthread.h>

#include "preload/core/made_record.h"
#include "preload/core/object.h"
#include "preload/core/wait.h"

static volatile int sink;
static int thing;

static uint64_t key(void)
{
    return (uint64_t)(uintptr_t)&thing;
}

static struct pl_object *record(void)
{
    struct pl_self *self = pl_enter();
    struct pl_object *o = pl_object_record(self, EL_OBJ_SEM, key(), 0);
    pl_leave(self);
    return o;
}

static int begin(void **state)
{
    (void)state;
    struct pl_self *self = pl_enter();
    pl_object_created(self, EL_OBJ_SEM, key(), 0, 7);
    pl_leave(self);
    return 0;
}

static int end(void **state)
{
    (void)state;
    struct pl_self *self = pl_enter();
    pl_object_gone(key());
    pl_leave(self);
    return 0;
}

/* As the wrappers do it. 1: on the short way. */
__attribute__((noinline)) static int wrapper(void)
{
    const struct pl_call call = PL_CALL();
    if (pl_object_woken_simply(key(), call.pc, call.sp))
        return 1;
    struct pl_self *self = pl_enter();
    struct pl_object *o = pl_object_recent(self, key());
    assert_non_null(o);
    pl_object_woken_at(self, o, call.pc, call.sp, call.fp);
    pl_leave(self);
    return 0;
}

__attribute__((noinline)) static int post(void)
{
    int simply = wrapper();
    sink++;
    return simply;
}

__attribute__((noinline)) static int post_from_elsewhere(void)
{
    int simply = wrapper();
    sink += 2;
    return simply;
}

static void most_wakings_are_a_count(void **state)
{
    (void)state;
    int simply = 0;
    post();
    assert_int_equal(record()->cell->wakes, 1);
    post();
    assert_int_equal(record()->cell->wakes, 2);
    for (volatile int i = 2; i < 200; i++)
        simply += post();
    assert_in_range(simply, 180, 197);
    assert_int_equal(record()->posts, 200);
    assert_in_range(record()->cell->wakes, 100, 199);
}

static void another_place_is_told(void **state)
{
    (void)state;
    for (volatile int i = 0; i < 10; i++)
        post();
    const uint32_t stack = record()->cell->last_waker_stack;
    assert_false(post_from_elsewhere());
    assert_int_not_equal(record()->cell->last_waker_stack, stack);
    assert_false(post());
    assert_int_equal(record()->cell->last_waker_stack, stack);
    assert_true(post());
}

static void *post_some(void *arg)
{
    uint64_t *me = arg;
    for (volatile int i = 0; i < 5; i++)
        post();
    *me = record()->cell->last_waker;
    return NULL;
}

static void another_thread_is_told(void **state)
{
    (void)state;
    uint64_t other = 0;
    pthread_t thread;
    for (volatile int i = 0; i < 10; i++)
        post();
    const uint64_t me = record()->cell->last_waker;
    assert_int_equal(pthread_create(&thread, NULL, post_some, &other), 0);
    pthread_join(thread, NULL);
    assert_int_not_equal(other, me);
    assert_int_equal(record()->cell->last_waker, other);
    assert_false(post());
    assert_int_equal(record()->cell->last_waker, me);
    assert_true(post());
}

/* Who waits learns of a waking that came just before the wait was told, or during it. */
__attribute__((noinline)) static void wait_and(int (*wake)(void), uint64_t waker)
{
    struct pl_wait w;
    assert_int_equal(pl_wait_begin(&w, EL_WAIT_SEM, key(), 0, PL_CALL()), 1);
    assert_int_equal(record()->cell->wakes, record()->posts);
    if (wake != NULL) {
        assert_false(wake()); /* somebody waits: all of it is told */
        assert_int_equal(record()->cell->wakes, record()->posts);
    }
    pl_wait_end(&w, 0);
    assert_int_equal(w.waker, waker);
    sink++;
}

static void who_waits_learns_who_woke_him(void **state)
{
    (void)state;
    for (volatile int i = 0; i < 20; i++)
        post();
    wait_and(NULL, 0);
    wait_and(post, record()->cell->last_waker);
}

static void an_address_of_another_life_is_not_counted(void **state)
{
    for (volatile int i = 0; i < 10; i++)
        post();
    end(state);
    begin(state);
    assert_int_equal(record()->posts, 0);
    assert_false(post());
    assert_int_equal(record()->cell->wakes, 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(most_wakings_are_a_count),
        TEST(another_place_is_told),
        TEST(another_thread_is_told),
        TEST(who_waits_learns_who_woke_him),
        TEST(an_address_of_another_life_is_not_counted),
    };
    return cmocka_run_group_tests(tests, made_begin, made_end);
}
