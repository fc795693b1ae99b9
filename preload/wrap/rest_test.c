/* rest_test.c - a process that is not recorded: a runtime notes its locks without a call. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <loiter.h>

enum { ENOUGH = 1000000 };

static int lock;
static struct loiter_note note, other;
static const void *volatile running;

static void all_may_be_noted(void **state)
{
    (void)state;
    loiter_worker_task(&running, 0);
    loiter_worker_note(&note);
    assert_true(note.left > ENOUGH);
    note.left = -1;
    loiter_lock_taken(LOITER_WAIT_MUTEX, &lock, &lock, &lock, &lock);
    assert_true(note.left > ENOUGH);
}

/* Another task finds it empty. */
static void what_is_noted_goes_with_the_task(void **state)
{
    (void)state;
    struct loiter_task t = {1, NULL};
    const void *object = &t;
    for (int how = 0; how < 4; how++) {
        note.at[0].lock = note.at[1].lock = (uintptr_t)&lock;
        if (how == 0)
            loiter_note_moves();
        else if (how == 1)
            loiter_lock_waits(&t, LOITER_WAIT_MUTEX, &lock, &lock, &lock, &lock);
        else
            loiter_task_park(&t, how == 2 ? LOITER_WAIT_RECV : LOITER_WAIT_GROUP, &object, 1, 0,
                             &lock);
        assert_int_equal(note.at[0].lock, 0);
        assert_int_equal(note.at[1].lock, 0);
    }
    note.at[1].lock = 1; /* no room, for good */
    loiter_note_moves();
    assert_int_equal(note.at[1].lock, 1);
}

static void words_that_are_given_back_are_left_alone(void **state)
{
    (void)state;
    loiter_worker_note(NULL);
    note = other = (struct loiter_note){.left = 0};
    loiter_lock_taken(LOITER_WAIT_MUTEX, &lock, &lock, &lock, &lock);
    assert_int_equal(note.left, 0);
    loiter_worker_note(&other);
    assert_true(other.left > ENOUGH);
    loiter_worker_note(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_may_be_noted),
        cmocka_unit_test(what_is_noted_goes_with_the_task),
        cmocka_unit_test(words_that_are_given_back_are_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
