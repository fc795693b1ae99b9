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
#include "preload/core/made_record.h"
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
    loiter_task_created(&t, task_main, 65536, 0, &place_one, NULL);
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

/* A plain thread that waits is in the record as a task would be. */
static void a_thread_of_the_program_waits(void **state)
{
    (void)state;
    static int chan;
    struct loiter_task stand_in = {.id = 0}, other = create();
    struct el_actor *cell = pl_self()->thread->actor->cell;
    uint64_t other_id = cell_of(&other)->actor;
    loiter_task_switch(NULL);
    for (volatile int i = 1; i <= 2; i++) {
        loiter_thread_waits(&stand_in);
        park(&stand_in, &chan);
        assert_int_equal(cell->state, EL_ACTOR_WAITING);
        assert_int_equal(cell->wait_kind, EL_WAIT_CHAN_RECV);
        assert_int_equal(cell->object, key(&chan));
        assert_int_equal(cell->waits_here, i);
        loiter_task_switch(&other);
        loiter_task_ready(&stand_in, &chan);
        assert_int_equal(cell->waker, other_id);
        loiter_task_switch(&stand_in);
        assert_int_equal(cell->state, EL_ACTOR_RUNNING);
        assert_int_equal(cell->wait_kind, EL_WAIT_NONE);
        assert_ptr_equal(pl_self()->actor, pl_self()->thread->actor);
    }
    loiter_task_exit(&other);
    loiter_object_destroyed(LOITER_OBJ_CHAN, &chan, 0);
}

/* ---- what tasks call themselves ---- */

static uint64_t asked_of;
static int is_of_task(const union el_any *any)
{
    return any->named.state == EL_LIVE && any->named.actor == asked_of;
}

static void named_as(const struct loiter_task *t, const char *name, const char *labels)
{
    struct el_record r;
    asked_of = EL_ACTOR_TASK | t->id;
    assert_true(made_find(EL_ID_named, is_of_task, 0, &r));
    assert_string_equal((const char *)r.any.named.name, name);
    assert_string_equal((const char *)r.any.named.labels, labels);
}

static void a_task_has_names_as_long_as_it_lives(void **state)
{
    (void)state;
    struct loiter_task a = create(), b = create();
    struct el_record r;
    loiter_task_named(&a, "reader", NULL);
    named_as(&a, "reader", "");
    loiter_task_named(&b, NULL, "request=17");
    named_as(&b, "", "request=17");
    loiter_task_named(&a, "r", "request=18 of=ada");
    named_as(&a, "r", "request=18 of=ada");
    loiter_task_named(&a, "0123456789012345678901234567890123456789012345678901234567", NULL);
    named_as(&a, "01234567890123456789012345678901234567890123456", "");
    loiter_task_exit(&a);
    asked_of = EL_ACTOR_TASK | a.id;
    assert_false(made_find(EL_ID_named, is_of_task, 0, &r));
    loiter_task_named(&b, NULL, NULL);
    asked_of = EL_ACTOR_TASK | b.id;
    assert_false(made_find(EL_ID_named, is_of_task, 0, &r));
    loiter_task_exit(&b);
}

/* ---- the usual cases, which take a way of their own once the runtime ticks ---- */

#define STEPS_MOST 64

struct scene {
    struct loiter_task a, b;
    struct el_actor *cell;
    uint64_t steps[STEPS_MOST][14];
    unsigned n;
};

/* Tasks have other numbers each time. */
static uint64_t who(const struct scene *s, uint64_t actor)
{
    return actor == (EL_ACTOR_TASK | s->a.id) ? 1 : actor == (EL_ACTOR_TASK | s->b.id) ? 2 : 0;
}

static void note(struct scene *s, const void *object)
{
    const struct el_object *o = pl_object_find(key(object));
    const struct el_actor *c = s->cell;
    assert_in_range(s->n, 0, STEPS_MOST - 1);
    const uint64_t step[] = {
        c->state,      c->wait_kind,  c->flags,         c->object,
        c->wait_stack, c->waits_here, who(s, c->waker), o == NULL ? 0 : o->state,
    };
    memcpy(s->steps[s->n], step, sizeof(step));
    if (o != NULL) {
        const uint64_t of_object[] = {o->waits,
                                      o->wakes,
                                      who(s, o->last_waker),
                                      o->last_waker_stack,
                                      who(s, o->last_waiter),
                                      o->last_waiter_stack};
        memcpy(s->steps[s->n] + 8, of_object, sizeof(of_object));
    }
    s->n++;
}

__attribute__((noinline)) static void park_for(struct loiter_task *t, enum loiter_wait why,
                                               const void *const *objects, unsigned n, int timed)
{
    loiter_task_park(t, why, objects, n, timed, &place_one);
    sink++;
}

__attribute__((noinline)) static void wake_elsewhere(struct loiter_task *t, const void *object)
{
    loiter_task_ready(t, object);
    loiter_task_switch(t);
    sink += 2; /* or it would be the same function */
}

/* Each of some waits three times in a row, in turn with those of the other task. */
static void play(struct scene *s)
{
    static int one, two, mutex;
    const void *const objects[] = {&one, &two};
    const struct {
        enum loiter_wait why;
        unsigned n;
        int timed, elsewhere, held;
    } waits[] = {
        {LOITER_WAIT_RECV, 1, 0, 0, 0},   {LOITER_WAIT_RECV, 1, 1, 0, 0},
        {LOITER_WAIT_SEND, 1, 0, 1, 0},   {LOITER_WAIT_SELECT, 2, 0, 0, 0},
        {LOITER_WAIT_SELECT, 2, 1, 1, 0}, {LOITER_WAIT_SLEEP, 0, 1, 0, 0},
        {LOITER_WAIT_RECV, 1, 0, 0, 1},   {LOITER_WAIT_MUTEX, 1, 0, 0, 0},
    };
    for (volatile size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
        for (volatile int round = 0; round < 3; round++) {
            loiter_task_switch(&s->a);
            if (waits[i].held)
                loiter_lock_acquired(LOITER_WAIT_MUTEX, &mutex, &place_two);
            pl_stamp(pl_self()); /* the next one is a guess */
            const uint64_t before = pl_now();
            park_for(&s->a, waits[i].why, objects, waits[i].n, waits[i].timed);
            note(s, &one);
            if (waits[i].held || waits[i].why == LOITER_WAIT_MUTEX)
                assert_in_range(s->cell->since, before, pl_now()); /* not guessed */
            loiter_task_switch(&s->b);
            if (waits[i].elsewhere && round == 1)
                wake_elsewhere(&s->a, &one);
            else
                wake(&s->a, waits[i].n == 0 ? NULL : &one);
            note(s, &one);
            if (waits[i].held)
                loiter_lock_released(&mutex, &s->a);
        }
    }
    /* Another object at the same address. */
    loiter_object_destroyed(LOITER_OBJ_CHAN, &one, 0);
    loiter_object_created(LOITER_OBJ_CHAN, &one, 0, &place_two);
    park_for(&s->a, LOITER_WAIT_RECV, objects, 1, 0);
    note(s, &one);
    loiter_task_unpark(&s->a);
    note(s, &one);
    loiter_object_destroyed(LOITER_OBJ_CHAN, &one, 0);
    loiter_object_destroyed(LOITER_OBJ_CHAN, &two, 0);
    loiter_object_destroyed(LOITER_OBJ_MUTEX, &mutex, 0);
}

static void usual_waits_leave_what_the_long_way_leaves(void **state)
{
    (void)state;
    static struct scene scenes[2];
    for (int ticks = 0; ticks < 2; ticks++) {
        struct scene *s = &scenes[ticks];
        s->a = create();
        s->b = create();
        s->cell = cell_of(&s->a);
        if (ticks) {
            loiter_run_begin("test", 1);
            loiter_tick();
        }
        play(s);
        loiter_task_exit(&s->a);
        loiter_task_exit(&s->b);
        loiter_task_switch(NULL);
    }
    loiter_run_end();
    assert_int_equal(scenes[0].n, scenes[1].n);
    for (unsigned i = 0; i < scenes[0].n; i++)
        for (unsigned k = 0; k < 14; k++)
            if (scenes[0].steps[i][k] != scenes[1].steps[i][k])
                fail_msg("step %u, word %u: %llu and %llu", i, k,
                         (unsigned long long)scenes[0].steps[i][k],
                         (unsigned long long)scenes[1].steps[i][k]);
}

static void an_object_knows_where_it_was_woken_last(void **state)
{
    (void)state;
    static int chan;
    struct loiter_task a = create(), b = create();
    loiter_run_begin("test", 1);
    loiter_tick();
    uint32_t stacks[8];
    for (volatile unsigned i = 0; i < 8; i++) {
        loiter_task_switch(&a);
        park(&a, &chan);
        loiter_task_switch(&b);
        if (i % 2 == 0)
            wake(&a, &chan);
        else
            wake_elsewhere(&a, &chan);
        stacks[i] = pl_object_find(key(&chan))->last_waker_stack;
    }
    assert_int_not_equal(stacks[0], stacks[1]);
    for (unsigned i = 2; i < 8; i++)
        assert_int_equal(stacks[i], stacks[i % 2]);
    loiter_task_exit(&a);
    loiter_task_exit(&b);
    loiter_task_switch(NULL);
    loiter_run_end();
    loiter_object_destroyed(LOITER_OBJ_CHAN, &chan, 0);
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
    assert_int_equal(pl_held_count(pl_self()->actor), 1);
    loiter_lock_released(&lock, &a);
    assert_int_equal(pl_held_count(pl_self()->actor), 0);
    loiter_task_exit(&a);
    struct loiter_task b = create();
    assert_ptr_equal(cell_of(&b), cell);
    assert_int_equal(cell->actor, EL_ACTOR_TASK | b.id);
    assert_int_equal(cell->wait_kind, EL_WAIT_NONE);
    assert_int_equal(cell->wait_stack, 0);
    assert_int_equal(cell->waits_here, 0);
    assert_int_equal(cell->waker, 0);
    assert_int_equal(cell->object, 0);
    assert_int_equal(pl_held_count(pl_self()->actor), 0);
    loiter_task_exit(&b);
    loiter_object_destroyed(LOITER_OBJ_CHAN, &chan, 0);
}

static const struct el_site *task_site(void)
{
    return pl_self()->thread->spawn_site->cell;
}

/* Its first wait is for what the other one waited for last, at the same place. */
static void a_record_that_is_used_again_waits_as_a_first_time(void **state)
{
    (void)state;
    static int chan;
    loiter_run_begin("test", 1);
    loiter_tick();
    for (volatile int i = 0; i < 3; i++) {
        struct loiter_task t = create();
        const struct el_actor *cell = cell_of(&t);
        assert_int_equal(cell->wait_stack, 0);
        park(&t, &chan);
        assert_int_not_equal(cell->wait_stack, 0);
        assert_int_equal(cell->object, key(&chan));
        assert_int_equal(cell->waits_here, 1);
        loiter_task_unpark(&t);
        loiter_task_exit(&t);
    }
    loiter_task_switch(NULL);
    loiter_run_end();
    loiter_object_destroyed(LOITER_OBJ_CHAN, &chan, 0);
}

static void what_is_made_at_a_place_adds_up(void **state)
{
    (void)state;
    struct loiter_task t[3];
    uint64_t made = pl_log.summary->tasks, count = 0, bytes = 0;
    size_t sizes[3] = {65536, 65536, 16384};
    for (volatile int i = 0; i < 3; i++) {
        t[i] = (struct loiter_task){++last_id, NULL};
        loiter_task_created(&t[i], task_main, sizes[i], 0, &place_two, NULL);
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

static int end(void **state)
{
    loiter_task_switch(NULL);
    return made_end(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_that_are_over_leave_what_the_rules_ask_for),
        cmocka_unit_test(a_thread_of_the_program_waits),
        cmocka_unit_test(a_task_has_names_as_long_as_it_lives),
        cmocka_unit_test(usual_waits_leave_what_the_long_way_leaves),
        cmocka_unit_test(an_object_knows_where_it_was_woken_last),
        cmocka_unit_test(the_time_of_a_wait_is_that_of_its_end),
        cmocka_unit_test(an_object_that_a_task_waits_for_stays_until_it_went_on),
        cmocka_unit_test(a_record_that_is_used_again_knows_nothing_of_before),
        cmocka_unit_test(a_record_that_is_used_again_waits_as_a_first_time),
        cmocka_unit_test(what_is_made_at_a_place_adds_up),
        cmocka_unit_test(a_timer_is_set_again),
    };
    return cmocka_run_group_tests(tests, made_begin, end);
}
