/* timer_brief_test.c - POSIX timers that are made and given up before they are set. */
#include "preload/core/timer_brief.h"

#include <pthread.h>
#include <semaphore.h>

#include "preload/core/made_record.h"
#include "preload/core/outcome.h"
#include "preload/core/thread.h"
#include "preload/core/timer_cell.h"

static uint64_t key_of(uint64_t id)
{
    return pl_timer_key(EL_OBJ_POSIX_TIMER, id);
}

static struct el_timer *cell_of(uint64_t id)
{
    return pl_timer_find(EL_OBJ_POSIX_TIMER, id);
}

/* As timer_create does it. Gives whether a word of the thread was enough. */
__attribute__((noinline)) static int made(uint64_t id)
{
    const struct pl_call call = PL_CALL();
    struct pl_self *self = pl_enter();
    int quick = pl_brief_made(self, key_of(id), call);
    if (!quick)
        pl_timer_posix_created(self, id, call);
    pl_leave(self);
    return quick;
}

/* As timer_delete. */
static void ended(uint64_t id)
{
    struct pl_self *self = pl_enter();
    if (!pl_brief_ended(self, key_of(id)))
        pl_timer_destroyed(EL_OBJ_POSIX_TIMER, id);
    pl_leave(self);
}

static void set(uint64_t id)
{
    struct pl_self *self = pl_enter();
    pl_timer_armed(self, EL_OBJ_POSIX_TIMER, id, 1000000, 0, 0, 99);
    pl_leave(self);
}

/* The place where this thread made its last. */
static const struct el_outcome *place(void)
{
    return pl_self_block.thread->brief.outcome->cell;
}

/* ---- the tests ---- */

static void those_that_end_at_once_are_counted(void **state)
{
    (void)state;
    unsigned quick = 0;
    /* One place that calls. */
    for (volatile uint64_t id = 0; id < 10000; id = id + 1) {
        quick += (unsigned)made(id);
        ended(id);
    }
    assert_true(quick > 9700);
    assert_true(place()->made <= 10000 && place()->made >= 10000 - PL_BRIEF_MOST);
    pl_briefs_settle();
    assert_int_equal(place()->made, 10000);
    assert_int_equal(place()->gone, 10000);
    assert_int_equal(place()->lost, 10000);
    assert_int_equal(place()->peak, 1);
    assert_null(cell_of(9999));
}

/* At no time is more than half of a place missing. */
static void few_are_counted_soon(void **state)
{
    (void)state;
    for (volatile uint64_t id = 1; id < 100; id = id + 1) {
        made(id);
        ended(id);
        assert_true(2 * place()->made + 2 >= id);
    }
}

static void one_that_is_set_has_a_cell(void **state)
{
    (void)state;
    for (volatile uint64_t id = 100; id < 110; id = id + 1) {
        made(id);
        assert_int_equal(pl_self_block.thread->brief.key, key_of(id));
        set(id);
        assert_int_equal(pl_self_block.thread->brief.key, 0);
        const struct el_timer *cell = cell_of(id);
        assert_non_null(cell);
        assert_int_equal(cell->object, id);
        assert_int_equal(cell->creator, pl_self_block.actor->id);
        assert_int_equal(cell->created_stack, place()->stack);
        assert_int_equal(cell->state, EL_TIMER_ARMED);
        assert_true(cell->created_at <= cell->armed_at);
        ended(id);
        assert_null(cell_of(id));
    }
    pl_briefs_settle();
    assert_int_equal(place()->made, 10);
    assert_int_equal(place()->gone, 10);
    assert_int_equal(place()->lost, 10);
}

static void several_at_once_are_told_apart(void **state)
{
    (void)state;
    for (volatile uint64_t id = 200; id < 220; id = id + 1)
        made(id);
    pl_briefs_settle();
    for (uint64_t id = 200; id < 220; id++)
        assert_non_null(cell_of(id));
    assert_int_equal(place()->made, 20);
    assert_int_equal(place()->peak, 20);
    for (uint64_t id = 200; id < 220; id++)
        ended(id);
    for (uint64_t id = 200; id < 220; id++)
        assert_null(cell_of(id));
    assert_int_equal(place()->gone, 20);
}

/* ---- two threads ---- */

static struct el_timer left_there;
static sem_t is_made, is_done;

static void *makes(void *arg)
{
    (void)arg;
    struct pl_self *self = pl_self();
    made(300);
    const struct pl_thread *thread = self->thread;
    made(301); /* the first has its word still */
    sem_post(&is_made);
    sem_wait(&is_done);
    /* Another thread ended both. */
    assert_int_equal(thread->brief.key, 0);
    made(302);
    assert_int_equal(thread->brief.key, key_of(302));
    self->guard++;
    pl_thread_finish(self, EL_END_RETURN);
    self->guard--;
    assert_int_equal(thread->brief.key, 0);
    return NULL;
}

static void another_thread_may_have_them(void **state)
{
    (void)state;
    pthread_t thread;
    struct pl_self *self = pl_enter();
    pl_leave(self);
    sem_init(&is_made, 0, 0);
    sem_init(&is_done, 0, 0);
    pthread_create(&thread, NULL, makes, NULL);
    sem_wait(&is_made);
    set(300);
    const struct el_timer *cell = cell_of(300);
    assert_non_null(cell);
    assert_int_not_equal(cell->creator, self->actor->id);
    assert_int_not_equal(cell->created_stack, 0);
    ended(300);
    ended(301);
    assert_null(cell_of(300));
    assert_null(cell_of(301));
    sem_post(&is_done);
    pthread_join(thread, NULL);
    /* What a thread leaves behind is there. */
    assert_non_null(cell_of(302));
    left_there = *cell_of(302);
    assert_int_equal(left_there.state, EL_TIMER_IDLE);
    ended(302);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(those_that_end_at_once_are_counted),
        cmocka_unit_test(few_are_counted_soon),
        cmocka_unit_test(one_that_is_set_has_a_cell),
        cmocka_unit_test(several_at_once_are_told_apart),
        cmocka_unit_test(another_thread_may_have_them),
    };
    return cmocka_run_group_tests(tests, made_begin, made_end);
}
