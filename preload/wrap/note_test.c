/* note_test.c - locks that a runtime notes: who has them in the record, when, and where they were
 * taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <loiter.h>

#include "preload/core/contention.h"
#include "preload/core/made_record.h"
#include "preload/core/note.h"
#include "preload/core/stack.h"

/* A runtime's record of a task. */
struct task {
    struct loiter_task loiter;
    char *stack;
};

static volatile int sink;
static char chan;
static uint64_t last_id;
static char place_one; /* stands for a return address into the program */
static struct task one, other;
static const void *volatile running;
static struct loiter_note note;
static int lock_a, lock_b;

static void task_main(void) {}

static void run(struct task *t)
{
    running = t;
}

static void create(struct task *t)
{
    *t = (struct task){{++last_id, NULL}, NULL};
    loiter_task_created(&t->loiter, task_main, 65536, 0, &place_one, NULL);
}

static int begin(void **state)
{
    (void)state;
    loiter_run_begin("test", 1);
    loiter_task_stacks(offsetof(struct task, stack));
    loiter_worker_task(&running, offsetof(struct task, loiter));
    loiter_worker_note(&note);
    loiter_tick();
    create(&one);
    create(&other);
    note = (struct loiter_note){.left = 1000};
    run(&one);
    return 0;
}

static int end(void **state)
{
    (void)state;
    run(&one);
    loiter_task_exit(&one.loiter);
    run(&other);
    loiter_task_exit(&other.loiter);
    run(NULL);
    loiter_run_end();
    return 0;
}

/* As the contract of loiter.h has it. Inlined into what stands for the program's function. */
static inline __attribute__((always_inline)) void take(enum loiter_wait why, const void *lock,
                                                       const void *pc)
{
    void *frame = __builtin_dwarf_cfa(), *caller = __builtin_return_address(0);
    const int k = note.at[0].lock != 0;
    if (note.at[k].lock != 0 || --note.left < 0) {
        loiter_lock_taken(why, lock, pc, frame, caller);
        return;
    }
    if (k != 0)
        note.later = note.left;
    note.at[k].pc = pc;
    note.at[k].frame = frame;
    note.at[k].caller = caller;
    note.at[k].lock = (uintptr_t)lock + (uintptr_t)why - LOITER_WAIT_MUTEX;
}

static int is_noted(unsigned k)
{
    return note.at[k].lock != 0;
}

static int give_noted(enum loiter_wait why, const void *lock)
{
    const uintptr_t word = (uintptr_t)lock + (uintptr_t)why - LOITER_WAIT_MUTEX;
    const int k = note.at[0].lock != word;
    return __atomic_compare_exchange_n(&note.at[k].lock, &(uintptr_t){word}, 0, 0, __ATOMIC_RELAXED,
                                       __ATOMIC_RELAXED);
}

static void give(enum loiter_wait why, const void *lock)
{
    if (!give_noted(why, lock))
        loiter_lock_released(lock, LOITER_SOMEBODY);
}

/* An address within the function that it stands in. */
#define HERE()                                                                                     \
    ({                                                                                             \
        __label__ here;                                                                            \
    here:                                                                                          \
        &&here;                                                                                    \
    })

__attribute__((noinline)) static void lock(const void *l)
{
    take(LOITER_WAIT_MUTEX, l, HERE());
    sink++;
}

static const struct pl_held_lock *held_by(const struct task *t, uint32_t n)
{
    const struct pl_actor *actor = t->loiter.tool;
    assert_false(loiter_task_looks(&t->loiter));
    return n < pl_held_count(actor) ? &actor->held[n] : NULL;
}

static void what_is_noted_is_in_no_list(void **state)
{
    (void)state;
    lock(&lock_a);
    assert_int_equal(note.at[0].lock, (uintptr_t)&lock_a);
    assert_null(held_by(&one, 0));
    assert_true(pl_holds_lock());
    give(LOITER_WAIT_MUTEX, &lock_a);
    assert_false(pl_holds_lock());
    assert_null(held_by(&one, 0));
}

static void a_task_that_waits_holds_what_it_noted(void **state)
{
    (void)state;
    const void *object = &chan;
    for (volatile int i = 0; i < 3; i++) { /* the wait itself is one like the last */
        loiter_task_park(&one.loiter, LOITER_WAIT_RECV, &object, 1, 0, &place_one);
        loiter_task_unpark(&one.loiter);
    }
    lock(&lock_a);
    loiter_task_park(&one.loiter, LOITER_WAIT_RECV, &object, 1, 0, &place_one);
    assert_false(is_noted(0));
    assert_ptr_equal(held_by(&one, 0)->lock, &lock_a);
    assert_int_equal(held_by(&one, 0)->kind, EL_WAIT_WEFT_MUTEX);
    const struct el_held *cell = ((struct pl_actor *)one.loiter.tool)->held_cell;
    assert_int_equal(cell->count, 1);
    assert_int_equal(cell->lock[0], (uintptr_t)&lock_a);
    loiter_task_unpark(&one.loiter);
    give(LOITER_WAIT_MUTEX, &lock_a);
    assert_null(held_by(&one, 0));
    loiter_object_destroyed(LOITER_OBJ_CHAN, &chan, 0);
}

static void a_task_that_leaves_holds_what_it_noted(void **state)
{
    (void)state;
    take(LOITER_WAIT_WLOCK, &lock_a, HERE());
    loiter_note_moves();
    run(&other);
    assert_false(is_noted(0));
    assert_ptr_equal(held_by(&one, 0)->lock, &lock_a);
    assert_int_equal(held_by(&one, 0)->kind, EL_WAIT_WEFT_WRITE);
    /* The one that runs now gives it up: the other's list drops it when it is asked. */
    give(LOITER_WAIT_WLOCK, &lock_a);
    assert_int_equal(pl_held_settle(one.loiter.tool), 0);
}

static void locks_are_held_in_the_order_they_were_taken(void **state)
{
    (void)state;
    static int lock_c, lock_d;
    lock(&lock_c);
    lock(&lock_a);
    give(LOITER_WAIT_MUTEX, &lock_c);
    lock(&lock_b); /* in its place */
    assert_int_equal(note.at[0].lock, (uintptr_t)&lock_b);
    assert_null(held_by(&one, 0));
    lock(&lock_c); /* there is room for two: it is told of */
    assert_false(is_noted(0) || is_noted(1));
    assert_non_null(held_by(&one, 2));
    lock(&lock_d);
    assert_int_equal(note.at[0].lock, (uintptr_t)&lock_d);
    loiter_note_moves();
    const int *const order[] = {&lock_a, &lock_b, &lock_c, &lock_d};
    for (uint32_t i = 0; i < 4; i++)
        assert_ptr_equal(held_by(&one, i)->lock, order[i]);
    for (uint32_t i = 0; i < 4; i++)
        loiter_lock_released(order[3 - i], NULL);
    lock(&lock_c);
    lock(&lock_d); /* each in a place of its own, one after the other */
    loiter_note_moves();
    assert_ptr_equal(held_by(&one, 0)->lock, &lock_c);
    assert_ptr_equal(held_by(&one, 1)->lock, &lock_d);
    loiter_lock_released(&lock_d, NULL);
    loiter_lock_released(&lock_c, NULL);
    loiter_lock_acquired(LOITER_WAIT_MUTEX, &lock_a, &place_one);
    lock(&lock_b);
    assert_int_equal(note.at[0].lock, (uintptr_t)&lock_b);
    loiter_lock_released(&lock_a, NULL); /* asks, so the other comes into the list too */
    assert_ptr_equal(held_by(&one, 0)->lock, &lock_b);
    loiter_lock_released(&lock_b, NULL);
    assert_null(held_by(&one, 0));
}

static void another_gives_up_what_is_noted(void **state)
{
    (void)state;
    static struct loiter_note elsewhere;
    struct pl_self *self = pl_enter();
    pl_note_begin(self, &elsewhere);
    pl_note_begin(self, &note);
    pl_leave(self);
    elsewhere.at[1].lock = (uintptr_t)&lock_a + 2;
    loiter_lock_released(&lock_a, LOITER_SOMEBODY);
    assert_int_equal(elsewhere.at[1].lock, 0);
    assert_int_equal(pl_held_strays.count, 0);
}

/* A handler of a signal asks between the look of who gives the lock up and its change, and another
 * one behind that: what is there then is no lock. */
static void what_is_taken_over_meanwhile_is_told(void **state)
{
    (void)state;
    lock(&lock_a);
    const uintptr_t word = note.at[0].lock;
    loiter_note_moves();
    assert_false(is_noted(0));
    note.at[0].lock -= word;
    loiter_note_moves();
    assert_int_equal(note.at[0].lock, 0 - word);
    note.at[0].lock = 0;
    assert_null(held_by(&one, 1));
    assert_ptr_equal(held_by(&one, 0)->lock, &lock_a);
    loiter_lock_released(&lock_a, LOITER_SOMEBODY);
    assert_null(held_by(&one, 0));
}

/* ---- places ---- */

static const void *place_pc;

__attribute__((noinline)) static void helper(const void *l)
{
    place_pc = HERE();
    take(LOITER_WAIT_MUTEX, l, place_pc);
    sink++;
}

static uint32_t stack_of_held(void)
{
    loiter_note_moves();
    const uint32_t stack = held_by(&one, 0)->stack;
    loiter_lock_released(held_by(&one, 0)->lock, NULL);
    return stack;
}

/* Deep enough to write over what the helper left on the stack. */
__attribute__((noinline)) static uint32_t ask_deeply(int depth)
{
    volatile char room[256];
    room[0] = (char)depth;
    const uint32_t stack = depth == 0 ? stack_of_held() : ask_deeply(depth - 1);
    return stack + (uint32_t)(room[0] - (char)depth);
}

__attribute__((noinline)) static uint32_t by_helper(void)
{
    helper(&lock_a);
    const uint32_t stack = ask_deeply(6);
    sink++;
    return stack;
}

__attribute__((noinline)) static uint32_t by_other(void)
{
    helper(&lock_a);
    const uint32_t stack = ask_deeply(3);
    sink++;
    return stack;
}

static uint32_t wanted;

static int is_wanted(const union el_any *any)
{
    return any->stack.stack == wanted;
}

static int lies_in(uint64_t pc, uint32_t (*function)(void))
{
    return pc > (uint64_t)(uintptr_t)(void *)function &&
           pc < (uint64_t)(uintptr_t)(void *)function + 128;
}

static void a_place_is_told_with_the_frames_around_it(void **state)
{
    (void)state;
    struct el_record record;
    uint32_t stacks[3];
    uint64_t walks[3];
    for (volatile int i = 0; i < 3; i++) {
        stacks[i] = by_helper();
        walks[i] = pl_log.summary->unwinds;
    }
    wanted = stacks[0];
    assert_int_not_equal(wanted, 0);
    assert_true(made_find(EL_ID_stack, is_wanted, 0, &record));
    assert_in_range(record.any.stack.frames_count, 3, 64);
    assert_int_equal(record.any.stack.frames[0], (uintptr_t)place_pc);
    assert_true(lies_in(record.any.stack.frames[1], by_helper));
    assert_false(lies_in(record.any.stack.frames[2], by_helper)); /* told once */
    assert_true(stacks[1] == wanted && stacks[2] == wanted);
    assert_true(walks[1] == walks[0] && walks[2] == walks[0]);
    const uint32_t before = wanted;
    wanted = by_other();
    assert_int_not_equal(wanted, before);
    assert_true(made_find(EL_ID_stack, is_wanted, 0, &record));
    assert_true(lies_in(record.any.stack.frames[1], by_other));
}

static void a_wait_for_a_lock_is_of_the_same_place(void **state)
{
    (void)state;
    void *frame = __builtin_dwarf_cfa(), *caller = __builtin_return_address(0);
    loiter_lock_taken(LOITER_WAIT_MUTEX, &lock_a, &place_one, frame, caller);
    const uint32_t stack = held_by(&one, 0)->stack;
    loiter_lock_released(&lock_a, NULL);
    loiter_lock_waits(&one.loiter, LOITER_WAIT_MUTEX, &lock_a, &place_one, frame, caller);
    const struct pl_actor *actor = one.loiter.tool;
    assert_int_equal(actor->cell->wait_stack, stack);
    assert_int_equal(actor->cell->wait_kind, EL_WAIT_WEFT_MUTEX);
    assert_int_equal(actor->cell->object, (uintptr_t)&lock_a);
    loiter_task_unpark(&one.loiter);
    loiter_object_destroyed(LOITER_OBJ_MUTEX, &lock_a, 0);
}

/* ---- samples ---- */

#define LOCKS 100000

struct samples {
    uint64_t count, stood_for;
    uint32_t least, most; /* of the second half */
};

/* After a while in which the thread took none. */
static void begin_samples(void)
{
    struct pl_thread *thread = pl_self()->thread;
    thread->note_span = thread->note_most = 0;
    note.left = 0;
}

/* Each takes so long: the clock moves on by as much. */
static struct samples sample_each(uint64_t ns)
{
    struct pl_self *self = pl_self();
    struct samples s = {.least = UINT32_MAX};
    for (int i = 0; i < LOCKS; i++) {
        self->thread->note_at -= pl_ticks_of_ns(ns);
        if (note.left > 0) {
            note.left--;
            continue;
        }
        uint32_t uses = pl_note_uses(self);
        s.count++;
        s.stood_for += uses;
        if (i > LOCKS / 2) {
            s.least = uses < s.least ? uses : s.least;
            s.most = uses > s.most ? uses : s.most;
        }
    }
    return s;
}

/* Those that are told stand for those that are noted. */
static void samples_stand_for_all(void **state)
{
    (void)state;
    begin_samples();
    const struct samples s = sample_each(0);
    note.left = 1000;
    assert_in_range(s.stood_for, LOCKS - 16400, LOCKS);
    assert_in_range(s.count, LOCKS / 16384, LOCKS / 8192 + 16);
    assert_true(s.most - s.least > 100); /* not in step with anything */
}

/* However many locks there are in a time, samples take little of it. */
static void samples_are_as_rare_as_locks_are_often(void **state)
{
    (void)state;
    begin_samples();
    const struct samples s = sample_each(1000);
    assert_in_range(s.stood_for, LOCKS - 1000, LOCKS);
    assert_in_range(s.count, LOCKS / 800, LOCKS / 50 + 16);
    assert_true(s.most > s.least);
    assert_in_range(sample_each(500000).count, LOCKS - 1000, LOCKS);
    note.left = 1000;
}

/* What is told of for want of room is counted all the same. */
static void those_that_found_no_room_are_counted(void **state)
{
    (void)state;
    struct pl_self *self = pl_self();
    self->thread->note_most = 4;
    note.left = 4;
    for (int i = 0; i < 4; i++)
        assert_int_equal(pl_note_uses(self), 0);
    assert_int_equal(pl_note_uses(self), 5);
    self->thread->note_most = 1;
    note.left = -1; /* as who finds that nothing is left leaves it */
    assert_int_equal(pl_note_uses(self), 2);
    note.left = 1000;
}

static int is_held_site(const union el_any *any)
{
    return any->site.kind == EL_SITE_LOCK && any->site.stack == wanted;
}

static void a_sample_is_in_the_record(void **state)
{
    (void)state;
    struct el_record record;
    pl_self()->thread->note_most = 99;
    note.left = 0;
    lock(&lock_a);
    assert_false(is_noted(0));
    wanted = held_by(&one, 0)->stack;
    give(LOITER_WAIT_MUTEX, &lock_a);
    struct pl_self *self = pl_enter();
    pl_contention_flush(self);
    pl_leave(self);
    assert_true(made_find(EL_ID_site, is_held_site, 0, &record));
    assert_int_equal(record.any.site.count, 100);
}

/* ---- from outside ---- */

static uint32_t shown_beside; /* how many other locks */

static int is_shown(const union el_any *any)
{
    const uint32_t k = shown_beside;
    return any->held.state == EL_LIVE && any->held.count == k + 1 &&
           any->held.lock[k] == (uintptr_t)&lock_b &&
           any->held.actor == (EL_ACTOR_TASK | one.loiter.id) &&
           any->held.kind[k] == EL_WAIT_WEFT_READ && any->held.stack[k] != 0;
}

static void what_is_held_over_a_tick_is_shown(void **state)
{
    (void)state;
    struct el_record record;
    take(LOITER_WAIT_RLOCK, &lock_b, HERE());
    loiter_tick();
    assert_false(made_find(EL_ID_held, is_shown, 0, &record));
    loiter_tick();
    assert_true(made_find(EL_ID_held, is_shown, 0, &record));
    assert_int_equal(note.at[0].lock, (uintptr_t)&lock_b + 1);
    give(LOITER_WAIT_RLOCK, &lock_b);
    loiter_tick();
    assert_false(made_find(EL_ID_held, is_shown, 0, &record));
    take(LOITER_WAIT_RLOCK, &lock_b, HERE());
    struct pl_self *self = pl_enter_blindly();
    pl_notes_show(self, 1); /* at the end of a run */
    pl_leave(self);
    assert_true(made_find(EL_ID_held, is_shown, 0, &record));
    give(LOITER_WAIT_RLOCK, &lock_b);
    loiter_tick();
}

/* One that is held for long, beside one that is taken anew all the time. */
static void of_two_the_one_that_is_held_for_long_is_shown(void **state)
{
    (void)state;
    struct el_record record;
    lock(&lock_a);
    take(LOITER_WAIT_RLOCK, &lock_b, HERE());
    for (int i = 0; i < 3; i++) {
        loiter_tick();
        assert_int_equal(made_find(EL_ID_held, is_shown, 0, &record), i != 0);
        give(LOITER_WAIT_MUTEX, &lock_a);
        if (i % 2 != 0)
            lock(&lock_a);
        else
            take(LOITER_WAIT_MUTEX, &lock_a, HERE());
    }
    loiter_tick();
    loiter_tick();
    assert_false(made_find(EL_ID_held, is_shown, 0, &record));
    shown_beside = 1;
    assert_true(made_find(EL_ID_held, is_shown, 0, &record));
    shown_beside = 0;
    give(LOITER_WAIT_MUTEX, &lock_a);
    loiter_tick();
    assert_true(made_find(EL_ID_held, is_shown, 0, &record));
    give(LOITER_WAIT_RLOCK, &lock_b);
    loiter_tick();
    assert_false(made_find(EL_ID_held, is_shown, 0, &record));
}

static int made_end_here(void **state)
{
    loiter_worker_task(NULL, 0);
    return made_end(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_noted_is_in_no_list),
        TEST(a_task_that_waits_holds_what_it_noted),
        TEST(a_task_that_leaves_holds_what_it_noted),
        TEST(locks_are_held_in_the_order_they_were_taken),
        TEST(another_gives_up_what_is_noted),
        TEST(what_is_taken_over_meanwhile_is_told),
        TEST(a_place_is_told_with_the_frames_around_it),
        TEST(a_wait_for_a_lock_is_of_the_same_place),
        TEST(samples_stand_for_all),
        TEST(samples_are_as_rare_as_locks_are_often),
        TEST(those_that_found_no_room_are_counted),
        TEST(a_sample_is_in_the_record),
        TEST(what_is_held_over_a_tick_is_shown),
        TEST(of_two_the_one_that_is_held_for_long_is_shown),
    };
    return cmocka_run_group_tests(tests, made_begin, made_end_here);
}
