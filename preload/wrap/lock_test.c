/* lock_test.c - the list of held locks by the ways that the wrappers go, short ones and long ones:
 * whichever it was, the list and its cell say what is held, and where it was taken. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "preload/core/made_record.h"
#include "preload/wrap/lock.h"

#define LOCKS 8 /* more than a cell has room for */

extern void *__libc_stack_end; /* NOLINT: the C library's name */

static char locks[LOCKS];
static struct held {
    const void *lock;
    uint32_t kind, stack;
} held[LOCKS];
static unsigned count, again, known, among;
static volatile int sink;

static uint32_t stack_of(struct pl_call call)
{
    struct pl_self *self = pl_enter();
    if (self == NULL)
        return 0;
    uint32_t stack = pl_stack(self, call);
    pl_leave(self);
    return stack;
}

static void acquire(enum el_wait_kind kind, const void *lock, struct pl_call call)
{
    if (kind == EL_WAIT_MUTEX && pl_lock_noted_again(lock, call.pc, call.sp)) {
        again++;
    } else if (pl_lock_noted(kind, lock, call.pc, call.sp) ||
               pl_lock_noted_by(PL_NEAR_OTHER, kind, lock, call.pc, call.sp) ||
               pl_lock_noted_other(kind, lock, call)) {
        known++;
    } else {
        pl_lock_taken(kind, lock, pl_lock_prepare(call), call);
    }
}

/* As a wrapper is called. */
__attribute__((noinline)) static void take(enum el_wait_kind kind, const void *lock)
{
    struct pl_call call = PL_CALL();
    acquire(kind, lock, call);
    held[count++] = (struct held){lock, kind, stack_of(call)};
}

static void release(unsigned i)
{
    struct pl_held_lock was;
    if (pl_lock_dropped(held[i].lock)) {
    } else if (pl_lock_dropped_among(held[i].lock)) {
        among++;
    } else {
        assert_true(pl_lock_releasing(held[i].lock, &was));
        pl_wait_flush();
    }
    for (count--; i < count; i++)
        held[i] = held[i + 1];
}

static void assert_all_is_told(void)
{
    const struct pl_actor *actor = pl_self()->actor;
    assert_int_equal(pl_held_count(actor), count);
    assert_true(pl_holds_lock() == (count != 0));
    if (count == 0 && actor->held_cell == NULL)
        return;
    assert_int_equal(actor->held_cell->count, count);
    for (unsigned i = 0; i < count; i++) {
        assert_ptr_equal(actor->held[i].lock, held[i].lock);
        assert_int_equal(actor->held[i].kind, held[i].kind);
        assert_int_equal(actor->held[i].stack, held[i].stack);
        if (i >= PL_HELD_CELL)
            continue;
        assert_int_equal(actor->held_cell->lock[i], (uintptr_t)held[i].lock);
        assert_int_equal(actor->held_cell->kind[i], held[i].kind);
        assert_int_equal(actor->held_cell->stack[i], held[i].stack);
    }
}

static int begin(void **state)
{
    (void)state;
    struct pl_self *self = pl_self();
    self->stack_hi = (uintptr_t)__libc_stack_end;
    /* Where a place is in that table depends on addresses: there is room for those of one test. */
    if (self->near != NULL)
        memset(self->near, 0, sizeof(self->near[0]) << PL_NEAR_BITS);
    /* Nor has any place been walked so often that its nearest frames have to do. */
    if (self->thread != NULL) {
        self->thread->shallow = NULL;
        self->thread->shallows = 0;
    }
    count = again = known = among = 0;
    return 0;
}

static int end(void **state)
{
    (void)state;
    pl_self()->stack_hi = 0;
    return 0;
}

#define PLACE(name, call)                                                                          \
    __attribute__((noinline)) static void name(enum el_wait_kind kind, const void *lock)           \
    {                                                                                              \
        call(kind, lock);                                                                          \
        sink++;                                                                                    \
    }
PLACE(inner, take)
PLACE(here, inner)
PLACE(there, inner)
PLACE(deeper, there)
static void (*const places[])(enum el_wait_kind, const void *) = {take, inner, here, there, deeper};

static void a_place_that_comes_again_is_told_by_little(void **state)
{
    (void)state;
    for (volatile int i = 0; i < 1000; i++) {
        here(EL_WAIT_MUTEX, &locks[i % 2]);
        assert_all_is_told();
        release(0);
        assert_all_is_told();
    }
    assert_in_range(again, 900, 999);
}

/* The same places one after the other, and the same place on several ways. */
static void places_that_come_in_turn_are_told_by_little(void **state)
{
    (void)state;
    for (volatile unsigned i = 0; i < 3000; i++) {
        places[i % 3](EL_WAIT_MUTEX, &locks[0]);
        assert_all_is_told();
        places[i % 2](EL_WAIT_MUTEX, &locks[1]);
        assert_all_is_told();
        release(1);
        release(0);
    }
    assert_in_range(again, 300, 6000); /* places may have one slot */
}

/* Every entry lies beside its slot, and none says which comes next. */
static void move_aside(void)
{
    const struct pl_self *self = pl_self();
    pl_held_forget_places(self->actor);
    for (unsigned i = 0; i < 1u << PL_NEAR_BITS; i += 2) {
        const struct pl_near first = self->near[i];
        self->near[i] = self->near[i + 1];
        self->near[i + 1] = first;
        self->near[i].next = self->near[i + 1].next = 0;
    }
}

static void a_row_goes_by_entries_beside_their_slots(void **state)
{
    (void)state;
    for (volatile unsigned i = 0; i < 4000; i++) {
        if (i == 2000) {
            move_aside();
            again = known = 0;
        }
        places[2 + i % 2](EL_WAIT_MUTEX, &locks[0]);
        assert_all_is_told();
        release(0);
    }
    assert_in_range(again, 1900, 2000);
}

__attribute__((noinline)) static void within(unsigned n, const void *lock)
{
    if (n == 0)
        inner(EL_WAIT_MUTEX, lock);
    else
        within(n - 1, lock);
    sink++;
}

/* The nearest frames are the same: where the call is tells one depth from another. */
static void depths_of_a_recursion_are_told_apart(void **state)
{
    (void)state;
    for (volatile unsigned i = 0; i < 2000; i++) {
        within(8 + i / 3 % 2, &locks[0]);
        assert_all_is_told();
        release(0);
    }
    assert_in_range(again, 500, 2000);
}

/* Where no entry says which place comes next. */
static void ways_that_come_at_random_are_told(void **state)
{
    (void)state;
    srand(2);
    for (volatile unsigned i = 0; i < 3000; i++) {
        places[2 + rand() % 3](EL_WAIT_MUTEX, &locks[0]);
        assert_all_is_told();
        release(0);
    }
    assert_in_range(again + known, 2500, 3000);
    assert_in_range(again, 300, 2500);
}

/* Rows of one place, and places and kinds that change, in lists of up to eight locks. */
static void whatever_comes_is_told(void **state)
{
    (void)state;
    unsigned place = 0, kind = 0;
    srand(1);
    for (volatile int i = 0; i < 60000; i++) {
        if (rand() % 8 == 0)
            place = (unsigned)rand() % 5;
        if (rand() % 8 == 0)
            kind = (unsigned)rand() % 3;
        if (count == LOCKS || (count != 0 && rand() % 2 == 0)) {
            release(rand() % 4 != 0 ? count - 1 : (unsigned)rand() % count);
        } else {
            const char *lock = &locks[rand() % LOCKS];
            unsigned n = 0;
            while (n < count && held[n].lock != lock)
                n++;
            if (n == count)
                places[place](EL_WAIT_MUTEX + kind, lock);
        }
        assert_all_is_told();
    }
    while (count != 0)
        release(0);
    assert_true(again > 500 && again + known > 4000);
    assert_true(among > 1000);
}

/* Further out than four frames: seen when all of them are compared, and from then on each time. */
PLACE(out_1, inner)
PLACE(out_2, out_1)
PLACE(out_3, out_2)
PLACE(out_4, out_3)
PLACE(usual, out_4)
PLACE(other, out_4)

static void a_caller_further_out_is_told_once_it_was_seen(void **state)
{
    (void)state;
    const struct pl_actor *actor = pl_self()->actor;
    int seen = 0;
    for (volatile unsigned i = 0; i < 8000; i++) {
        (i < 2000 ? usual : other)(EL_WAIT_MUTEX, &locks[i % 2]);
        assert_int_equal(actor->held[i % 2].stack, actor->held_cell->stack[i % 2]);
        seen |= i >= 2000 && actor->held[i % 2].stack == held[i % 2].stack;
        if (i < 2000 || seen)
            assert_int_equal(actor->held[i % 2].stack, held[i % 2].stack);
        if (i % 2 != 0) {
            release(1);
            release(0);
        }
    }
    assert_true(seen && again > 7000);
}

/* The way that a place was first reached on, and another one that comes so often that it takes the
 * first one's entry. */
static void a_way_that_comes_more_often_is_told(void **state)
{
    (void)state;
    for (volatile unsigned i = 0; i < 20000; i++) {
        const int both = i < 9 || i >= 19000;
        for (volatile unsigned n = 0; n < (both ? 2 : 1); n++)
            (i < 9 && i % 2 == 0 ? here : there)(EL_WAIT_MUTEX, &locks[n]);
        assert_all_is_told();
        while (count != 0)
            release(count - 1);
    }
    assert_true(again + known > 19000);
}

/* What a wait found out of the place of a lock is not told of the next one that comes there, and
 * behind the guard nothing is noted. */
static void of_what_is_revised_or_guarded_nothing_is_noted(void **state)
{
    (void)state;
    unsigned noted = 0;
    for (volatile int i = 0; i < 52; i++) {
        struct pl_self *self = i == 51 ? pl_enter() : NULL;
        noted = again;
        here(EL_WAIT_MUTEX, &locks[i == 50]);
        if (self != NULL)
            break;
        assert_all_is_told();
        if (i == 49) {
            self = pl_enter();
            self->actor->held[0].stack = 0; /* as if it had been another one */
            pl_held_revise(self, PL_CALL());
            pl_leave(self);
        }
        release(0);
    }
    pl_leave(pl_self());
    assert_int_equal(again, noted);
    assert_false(pl_held_any(pl_self()->actor));
    assert_true(again > 20);
    count = 0;
}

/* Between a place that is known and the lock that is noted there a handler may hold one. */
static volatile sig_atomic_t handled;
static struct pl_near *handlers; /* an entry that is of no place */

__attribute__((noinline)) static void handle(int signal)
{
    char *lock = &locks[LOCKS - 1];
    struct pl_self *self = pl_self();
    const uint32_t stack = 1000 + (uint32_t)signal;
    if (pl_hindered(self) || !pl_lock_noted_at(self, EL_WAIT_MUTEX, lock, stack, handlers, 1, 1))
        return;
    handled++;
    if (!pl_lock_dropped(lock))
        abort();
}

static volatile int over;
static void *disturb(void *arg)
{
    while (!over) {
        pthread_kill(*(pthread_t *)arg, SIGUSR1);
        for (volatile int i = 0; i < 300; i++)
            continue;
    }
    return NULL;
}

static void a_handlers_lock_leaves_no_place_behind(void **state)
{
    (void)state;
    const struct pl_actor *actor = pl_self()->actor;
    pthread_t self = pthread_self(), thread;
    here(EL_WAIT_MUTEX, &locks[0]);
    release(0);
    handlers = pl_self()->near;
    while (handlers->pc != 0)
        handlers++;
    signal(SIGUSR1, handle);
    over = 0;
    assert_int_equal(pthread_create(&thread, NULL, disturb, &self), 0);
    for (volatile long i = 0; handled < 3000 || again < 1000; i++) {
        (i / 4 % 2 == 0 ? here : inner)(EL_WAIT_MUTEX, &locks[0]);
        assert_int_equal(pl_held_count(actor), 1);
        assert_ptr_equal(actor->held[0].lock, &locks[0]);
        assert_int_equal(actor->held[0].stack, held[0].stack);
        assert_int_equal(actor->held_cell->stack[0], held[0].stack);
        release(0);
    }
    over = 1;
    assert_int_equal(pthread_join(thread, NULL), 0);
    signal(SIGUSR1, SIG_DFL);
}

/* The same lock at one place, as often as it takes until that shows: 1; or never. */
static int shows_as_had(const void *lock)
{
    pl_self()->spins_had = 0;
    for (unsigned i = 0; i < 2 * PL_TRUST_MOST && !pl_self()->spins_had; i++) {
        here(EL_WAIT_MUTEX, lock);
        release(0);
    }
    return pl_self()->spins_had != 0;
}

static void a_lock_tried_in_vain_shows_when_it_is_had_once(void **state)
{
    (void)state;
    assert_false(shows_as_had(&locks[0]));
    pl_lock_in_vain(&locks[0], PL_CALL());
    assert_false(shows_as_had(&locks[1]));
    assert_true(shows_as_had(&locks[0]));
    assert_false(shows_as_had(&locks[0]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_place_that_comes_again_is_told_by_little, begin, end),
        cmocka_unit_test_setup_teardown(places_that_come_in_turn_are_told_by_little, begin, end),
        cmocka_unit_test_setup_teardown(depths_of_a_recursion_are_told_apart, begin, end),
        cmocka_unit_test_setup_teardown(ways_that_come_at_random_are_told, begin, end),
        cmocka_unit_test_setup_teardown(a_row_goes_by_entries_beside_their_slots, begin, end),
        cmocka_unit_test_setup_teardown(whatever_comes_is_told, begin, end),
        cmocka_unit_test_setup_teardown(a_caller_further_out_is_told_once_it_was_seen, begin, end),
        cmocka_unit_test_setup_teardown(a_way_that_comes_more_often_is_told, begin, end),
        cmocka_unit_test_setup_teardown(a_handlers_lock_leaves_no_place_behind, begin, end),
        cmocka_unit_test_setup_teardown(a_lock_tried_in_vain_shows_when_it_is_had_once, begin, end),
        cmocka_unit_test_setup_teardown(of_what_is_revised_or_guarded_nothing_is_noted, begin, end),
    };
    return cmocka_run_group_tests(tests, made_begin, made_end);
}
