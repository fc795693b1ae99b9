/* core_test.c - stacks and their recognition, held locks, budgets, options, in a real record. */
#include "preload/core/actor.h"
#include "preload/core/clock.h"
#include "preload/core/made_record.h"
#include "preload/core/object.h"
#include "preload/core/options.h"
#include "preload/core/stack.h"
#include "preload/core/wait.h"
#include "preload/core/window.h"

static volatile int sink;
extern void *__libc_stack_end;

__attribute__((noinline)) static uint32_t wrapper(void)
{
    struct pl_call call = PL_CALL();
    struct pl_self *self = pl_enter();
    assert_non_null(self);
    uint32_t id = pl_stack(self, call);
    pl_leave(self);
    sink++;
    return id;
}

__attribute__((noinline)) static uint32_t inner(void)
{
    uint32_t id = wrapper();
    sink++;
    return id;
}

/* Two callers whose frames have the same size: `inner` runs at the same place of the stack. */
__attribute__((noinline)) static uint32_t caller_one(void)
{
    uint32_t id = inner();
    sink += 1;
    return id;
}

__attribute__((noinline)) static uint32_t caller_two(void)
{
    uint32_t id = inner();
    sink += 2;
    return id;
}

static void same_stack_same_id(void **state)
{
    (void)state;
    uint32_t ids[3];
    /* A loop that is not unrolled: one place that calls. */
    for (volatile int i = 0; i < 3; i++)
        ids[i] = caller_one();
    assert_int_not_equal(ids[0], 0);
    assert_int_equal(ids[0], ids[1]);
    assert_int_equal(ids[1], ids[2]);
}

static void another_caller_further_up_is_another_stack(void **state)
{
    (void)state;
    uint32_t (*callers[2])(void) = {caller_one, caller_two};
    uint32_t ids[6];
    for (volatile int i = 0; i < 6; i++)
        ids[i] = callers[i % 2]();
    assert_int_not_equal(ids[0], ids[1]);
    for (int i = 2; i < 6; i++)
        assert_int_equal(ids[i], ids[i % 2]);
}

static void known_stacks_are_not_walked(void **state)
{
    (void)state;
    for (volatile int i = 0; i < 2; i++) {
        uint64_t walks = pl_log.summary->unwinds;
        for (volatile int j = 0; j < 100; j++)
            caller_one();
        if (i == 1)
            assert_int_equal(pl_log.summary->unwinds, walks);
    }
}

/* 2^6 ways lead to one call at one depth. */
__attribute__((noinline)) static void branch(volatile unsigned way, volatile int depth)
{
    if (depth == 0) {
        wrapper();
    } else if (way & 1) {
        branch(way >> 1, depth - 1);
        sink += 1;
    } else {
        branch(way >> 1, depth - 1);
        sink += 2;
    }
}

static void many_ways_to_one_call_are_not_walked_again(void **state)
{
    (void)state;
    uint64_t walks = 0;
    for (volatile int pass = 0; pass < 3; pass++) {
        for (volatile unsigned way = 0; way < 64; way++)
            branch(way, 6);
        if (pass == 0)
            walks = pl_log.summary->unwinds;
    }
    assert_in_range(pl_log.summary->unwinds - walks, 0, 64);
}

/* A lock that is taken in a small function, and what is told of its place: at once, by a full
 * comparison, and from further out when the small function has returned. */
static struct {
    struct pl_call call;
    int exactly;
    uint32_t told, exact, revised;
    int quickly; /* told without a call */
} place;

static void tell(struct pl_self *self)
{
    const uintptr_t pc = place.call.pc, sp = place.call.sp;
    place.told = pl_stack_near_on(self, self->stack_hi, pc, sp);
    place.quickly = place.told != 0;
    if (place.told == 0)
        place.told = pl_stack_near_other(self, self->stack_hi, pc, sp);
    if (place.told == 0)
        pl_stack_often(self, place.call, NULL);
}

__attribute__((noinline)) static void take(void)
{
    place.call = PL_CALL();
    struct pl_self *self = pl_enter();
    if (place.exactly)
        place.exact = pl_stack(self, place.call);
    else
        tell(self);
    pl_leave(self);
}

#define NEST(name, inside)                                                                         \
    __attribute__((noinline)) static void name(void)                                               \
    {                                                                                              \
        inside();                                                                                  \
        sink++;                                                                                    \
    }
NEST(nest_1, take)
NEST(nest_2, nest_1)
NEST(nest_3, nest_2)
NEST(nest_4, nest_3)

__attribute__((noinline)) static void wait_later(void)
{
    struct pl_self *self = pl_enter();
    place.revised = pl_stack_revise(self, place.call, place.told, PL_CALL());
    pl_leave(self);
}

__attribute__((noinline)) static void take_and_wait(void)
{
    for (place.exactly = 0; place.exactly < 2; place.exactly++) {
        nest_4();
        if (!place.exactly)
            wait_later();
    }
    sink++;
}

NEST(usual_caller, take_and_wait)
NEST(rare_caller, take_and_wait)

static void a_rare_caller_of_a_trusted_place_is_told_in_time(void **state)
{
    (void)state;
    void (*callers[2])(void) = {usual_caller, rare_caller};
    uint32_t usual = 0;
    pl_self()->stack_hi = (uintptr_t)__libc_stack_end;
    for (volatile int i = 0; i < 101; i++) {
        callers[i == 100]();
        if (i == 99) {
            usual = place.exact;
            assert_int_equal(place.told, usual);
            assert_int_equal(place.revised, usual);
        }
    }
    pl_self()->stack_hi = 0;
    assert_int_equal(place.told, usual);
    assert_int_not_equal(place.exact, usual);
    assert_int_equal(place.revised, place.exact);
}

static void another_caller_nearby_is_never_taken_for_the_usual(void **state)
{
    (void)state;
    void (*callers[2])(void) = {nest_2, nest_3};
    for (volatile int i = 0; i < 200; i++) {
        for (place.exactly = 0; place.exactly < 2; place.exactly++)
            callers[i >= 100 && i % 2]();
        assert_true(place.told == 0 || place.told == place.exact);
    }
}

NEST(way_1, nest_1)
NEST(way_2, nest_1)
NEST(way_3, nest_1)

static void each_way_to_a_trusted_place_is_told_at_once(void **state)
{
    (void)state;
    void (*ways[3])(void) = {way_1, way_2, way_3};
    int told = 0;
    for (volatile int i = 0; i < 600; i++) {
        for (place.exactly = 0; place.exactly < 2; place.exactly++)
            ways[i % 3]();
        assert_true(place.told == 0 || place.told == place.exact);
        told += i >= 300 && place.told != 0;
    }
    assert_in_range(told, 240, 300);
}

/* The two differ near the place, or further out than is compared. */
static void told_at_once(void (*first)(void), void (*then)(void))
{
    int quickly = 0, right = 0, soon = 0;
    pl_self()->stack_hi = (uintptr_t)__libc_stack_end;
    for (volatile int i = 0; i < 20000; i++) {
        for (place.exactly = 0; place.exactly < 2; place.exactly++)
            (i < 2 ? first : then)();
        soon += i >= 2 && i < 18 && place.told == place.exact;
        quickly += i >= 19000 && place.quickly;
        right += i >= 19000 && place.told == place.exact;
    }
    pl_self()->stack_hi = 0;
    assert_in_range(soon, 10, 15);
    assert_in_range(quickly, 990, 1000);
    assert_in_range(right, 990, 1000);
}

NEST(nest_5, nest_4)
NEST(out_1, nest_5)
NEST(out_2, nest_5)

static void who_calls_from_now_on_is_told_at_once(void **state)
{
    (void)state;
    told_at_once(way_1, way_2);
    told_at_once(out_1, out_2);
}

static struct pl_actor *actor_of_test(void)
{
    return pl_self()->actor;
}

static void held_locks_in_any_order(void **state)
{
    (void)state;
    struct pl_actor *a = actor_of_test();
    struct pl_held_lock was;
    int x, y, z;
    pl_held_push(a, EL_WAIT_MUTEX, &x, 1);
    pl_held_push(a, EL_WAIT_MUTEX, &y, 2);
    pl_held_push(a, EL_WAIT_MUTEX, &x, 3); /* a recursive mutex */
    pl_held_push(a, EL_WAIT_SPINLOCK, &z, 4);
    assert_int_equal(a->held_cell->count, 4);
    assert_int_equal(pl_held_remove(a, &x, &was), 1);
    assert_int_equal(was.stack, 3); /* the latest of them */
    assert_int_equal(pl_held_remove(a, &y, &was), 1);
    assert_int_equal(was.stack, 2);
    assert_int_equal(a->held_cell->lock[1], (uintptr_t)&z);
    assert_int_equal(a->held_cell->stack[0], 1);
    assert_int_equal(pl_held_remove(a, &y, &was), 0);
    assert_int_equal(pl_held_remove(a, &x, NULL), 1);
    assert_int_equal(pl_held_remove(a, &z, NULL), 1);
    assert_int_equal(a->held_cell->count, 0);
}

static void more_locks_than_fit_are_counted(void **state)
{
    (void)state;
    struct pl_actor *a = actor_of_test();
    char locks[PL_HELD_MAX + 5];
    for (uint32_t i = 0; i < sizeof(locks); i++)
        pl_held_push(a, EL_WAIT_MUTEX, &locks[i], i + 1);
    assert_int_equal(a->held_cell->count, sizeof(locks));
    for (uint32_t i = sizeof(locks); i-- > 0;)
        assert_int_equal(pl_held_remove(a, &locks[i], NULL), 1);
    assert_int_equal(a->held_cell->count, 0);
}

/* Its cell could not be had: the disk or the memory was full. */
static void a_wait_with_locks_that_have_no_cell(void **state)
{
    (void)state;
    struct pl_actor *a = actor_of_test();
    struct pl_held_lock held = {.kind = EL_WAIT_MUTEX, .unsure = 1, .lock = &state};
    pl_held_push_lock(a, &held);
    struct el_held *cell = a->held_cell;
    struct pl_wait w;
    a->held_cell = NULL;
    a->held_room = 0;
    assert_true(pl_wait_begin(&w, EL_WAIT_SLEEP, 0, 1, PL_CALL()));
    pl_wait_end(&w, 0);
    assert_false(a->held[0].unsure);
    assert_int_equal(pl_held_remove(a, &state, NULL), 1);
    a->held_cell = cell;
    cell->count = 0;
}

static void a_lock_that_another_gave_back_is_not_held(void **state)
{
    (void)state;
    struct pl_actor *a = actor_of_test();
    int x, y;
    pl_held_push(a, EL_WAIT_MUTEX, &x, 1);
    pl_held_push(a, EL_WAIT_MUTEX, &y, 2);
    pl_held_foreign(&x);
    assert_int_equal(pl_held_settle(a), 1);
    assert_ptr_equal(a->held[0].lock, &y);
    /* Given back by another, then taken by this one: held. */
    pl_held_foreign(&x);
    pl_held_push(a, EL_WAIT_MUTEX, &x, 3);
    assert_int_equal(pl_held_settle(a), 2);
    /* Once more, before anybody asked: held once. */
    pl_held_foreign(&x);
    pl_held_push(a, EL_WAIT_MUTEX, &x, 4);
    assert_int_equal(pl_held_settle(a), 2);
    assert_int_equal(a->held[1].stack, 4);
    pl_held_remove(a, &x, NULL);
    pl_held_remove(a, &y, NULL);
    /* A mark that nobody asks for goes in the end. */
    for (int i = 0; i < 16; i++) {
        pl_held_push(a, EL_WAIT_MUTEX, &x, 1);
        pl_held_remove(a, &x, NULL);
    }
    assert_int_equal(pl_held_strays.count, 0);
}

/* Each of them has it in its list until it is asked. */
static void a_lock_goes_through_several_hands(void **state)
{
    (void)state;
    struct pl_actor *a[3];
    static int x;
    for (int i = 0; i < 3; i++) {
        a[i] = pl_actor_create(EL_ACTOR_TASK | (uint64_t)(900 + i));
        assert_non_null(a[i]);
        pl_held_push(a[i], EL_WAIT_MUTEX, &x, 1);
        if (i < 2)
            pl_held_foreign(&x);
    }
    assert_int_equal(pl_held_settle(a[2]), 1);
    assert_int_equal(pl_held_settle(a[0]), 0);
    assert_int_equal(pl_held_settle(a[1]), 0);
    assert_int_equal(pl_held_strays.count, 0);
    assert_int_equal(pl_held_settle(a[2]), 1);
    /* The one that has it for a reader twice loses it once. */
    pl_held_push(a[0], EL_WAIT_WEFT_READ, &x, 1);
    pl_held_push(a[0], EL_WAIT_WEFT_READ, &x, 1);
    pl_held_foreign(&x);
    assert_int_equal(pl_held_settle(a[0]), 1);
    /* One that ends with it never asks again: who gives it up then leaves nothing behind. */
    pl_actor_destroy(a[2]);
    pl_actor_destroy(a[0]);
    pl_held_foreign(&x);
    assert_int_equal(pl_held_strays.count, 0);
    pl_held_push(a[1], EL_WAIT_MUTEX, &x, 1);
    pl_held_foreign(&x);
    assert_int_equal(pl_held_settle(a[1]), 0);
    pl_actor_destroy(a[1]);
}

static void a_place_may_write_a_burst_then_at_a_rate(void **state)
{
    (void)state;
    struct pl_site *site = pl_site_get(EL_SITE_WAIT, 77, 0);
    uint64_t now = pl_now(), second = pl_ticks_of_ns(1000000000);
    unsigned first = 0, later = 0;
    for (int i = 0; i < 10000; i++)
        first += (unsigned)pl_site_budget(site, now);
    assert_int_equal(first, pl_options.event_burst);
    for (uint64_t i = 1; i <= 1000; i++)
        later += (unsigned)pl_site_budget(site, now + i * second / 100);
    assert_in_range(later, pl_options.event_rate * 10 - 1, pl_options.event_rate * 10 + 1);
    assert_ptr_equal(pl_site_get(EL_SITE_WAIT, 77, 0), site);
    assert_ptr_not_equal(pl_site_get(EL_SITE_WAIT, 77, 1), site);
}

static void waits_are_recorded_in_their_window(void **state)
{
    (void)state;
    const uint64_t second = pl_ticks_of_ns(1000000000);
    uint64_t outside = pl_log.summary->outside;
    pl_options_parse("delay_ms=10000,window_ms=20000,sample_on_ms=1000,sample_every_ms=5000");
    pl_window_init();
    assert_false(pl_window_open(9 * second));
    assert_true(pl_window_open(10 * second + second / 2));
    assert_false(pl_window_open(12 * second));
    assert_true(pl_window_open(25 * second + second / 2));
    assert_false(pl_window_open(30 * second + second / 2));
    pl_log.summary->control = EL_CONTROL_START;
    assert_true(pl_window_open(9 * second));
    pl_log.summary->control = EL_CONTROL_STOP;
    assert_false(pl_window_open(10 * second + second / 2));
    assert_true(pl_log.summary->outside == outside + 4);
    pl_log.summary->control = EL_CONTROL_NONE;
    pl_options_parse("delay_ms=0,window_ms=0,sample_on_ms=0,sample_every_ms=0");
    pl_window_init();
    assert_true(pl_window_open(0));
}

static void a_log_that_fills_takes_fewer_events(void **state)
{
    (void)state;
    const uint64_t used = pl_log.used_bytes, sixteenth = pl_log.max_bytes / 16;
    pl_log.used_bytes = 7 * sixteenth;
    assert_int_equal(pl_window_thinning(5), 0);
    pl_log.used_bytes = 8 * sixteenth;
    assert_int_equal(pl_window_thinning(5), 1);
    pl_log.used_bytes = 11 * sixteenth;
    assert_int_equal(pl_window_thinning(5), 4);
    assert_true(pl_log.summary->thinned == 0 && pl_log.summary->thinned_at == 0);
    pl_log.used_bytes = 12 * sixteenth;
    assert_int_equal(pl_window_thinning(5), PL_THIN_NONE);
    assert_int_equal(pl_window_thinning(6), PL_THIN_NONE);
    assert_true(pl_log.summary->thinned == 2 && pl_log.summary->thinned_at == 5);
    assert_false(pl_site_budget(pl_site_get(EL_SITE_WAIT, 78, 0), pl_now()));
    pl_log.used_bytes = used;
}

static void an_object_s_address_has_several_lives(void **state)
{
    (void)state;
    struct pl_self *self = pl_enter();
    static int thing;
    uint64_t at = (uint64_t)(uintptr_t)&thing;
    assert_null(pl_object_find(at));
    struct el_object *first = pl_object_created(self, EL_OBJ_SEM, at, 3, 9);
    assert_non_null(first);
    assert_int_equal(first->state, EL_LIVE);
    assert_int_equal(first->created_stack, 9);
    struct pl_object *record = pl_object_record(self, EL_OBJ_SEM, at, 0);
    pl_object_wait_begins(record, 1, 5);
    pl_object_gone(at); /* destroyed under a waiter: its cell stays for now */
    assert_null(pl_object_find(at));
    assert_int_equal(first->state, EL_GONE);
    struct el_object *second = pl_object_created(self, EL_OBJ_COND, at, 0, 11);
    assert_ptr_not_equal(second, first);
    pl_object_wait_ends(record, 100, 0);
    assert_int_equal(first->state, EL_FREE);
    pl_object_gone(at);
    assert_int_equal(second->state, EL_FREE);
    pl_leave(self);
}

/* A lock that was waited for so long, and is destroyed. */
static struct el_object *lock_ends(struct pl_self *self, uint64_t at, uint64_t ticks,
                                   uint32_t stack)
{
    struct pl_object *lock = pl_object_record(self, EL_OBJ_MUTEX, at, 1);
    if (ticks != 0) {
        pl_object_wait_begins(lock, 1, stack);
        pl_object_wait_ends(lock, ticks, ticks / 10);
    }
    pl_object_gone(at);
    assert_null(pl_object_find(at));
    return lock->cell;
}

static void a_destroyed_lock_keeps_what_was_waited_for_it(void **state)
{
    (void)state;
    struct pl_self *self = pl_enter();
    assert_int_equal(lock_ends(self, 0x9000, 0, 0)->state, EL_FREE); /* never waited for */
    const struct el_object *sum = lock_ends(self, 0x9000, 1000, 17);
    assert_int_equal(sum->state, EL_GONE);
    assert_int_equal(sum->items, 1);
    /* One of the same place is counted with it, one of another stands for itself. */
    assert_int_equal(lock_ends(self, 0x9000, 500, 17)->state, EL_FREE);
    const struct el_object *other = lock_ends(self, 0x9100, 70, 18);
    assert_true(other != sum && other->state == EL_GONE);
    assert_int_equal(sum->items, 2);
    assert_int_equal(sum->waits, 2);
    assert_int_equal(sum->wait_ticks, 1500);
    assert_int_equal(sum->wait_io_ticks, 150);
    assert_int_equal(other->wait_ticks, 70);
    pl_leave(self);
}

/* However many places there are, no more cells are kept than so many. */
static void destroyed_locks_of_many_places_take_bounded_room(void **state)
{
    (void)state;
    struct pl_self *self = pl_enter();
    unsigned freed = 0;
    for (uint32_t stack = 1000; stack < 4000; stack++)
        freed += lock_ends(self, 0xa000, 10, stack)->state == EL_FREE;
    assert_in_range(freed, 1000, 2500);
    pl_leave(self);
}

static void options_are_read_and_bounded(void **state)
{
    (void)state;
    pl_options_parse("depth=7,unknown=3,,event_rate=99999999999999999999,max_log_bytes=1M,depth");
    assert_int_equal(pl_options.depth, 7);
    assert_int_equal(pl_options.event_rate, 1000000);
    assert_int_equal(pl_options.max_log_bytes, 1 << 20);
    pl_options_parse("depth=0");
    assert_int_equal(pl_options.depth, 1);
    pl_options_parse("depth=32,event_rate=20");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_stack_same_id),
        cmocka_unit_test(another_caller_further_up_is_another_stack),
        cmocka_unit_test(known_stacks_are_not_walked),
        cmocka_unit_test(many_ways_to_one_call_are_not_walked_again),
        cmocka_unit_test(a_rare_caller_of_a_trusted_place_is_told_in_time),
        cmocka_unit_test(another_caller_nearby_is_never_taken_for_the_usual),
        cmocka_unit_test(each_way_to_a_trusted_place_is_told_at_once),
        cmocka_unit_test(who_calls_from_now_on_is_told_at_once),
        cmocka_unit_test(held_locks_in_any_order),
        cmocka_unit_test(more_locks_than_fit_are_counted),
        cmocka_unit_test(a_wait_with_locks_that_have_no_cell),
        cmocka_unit_test(a_lock_that_another_gave_back_is_not_held),
        cmocka_unit_test(a_lock_goes_through_several_hands),
        cmocka_unit_test(a_place_may_write_a_burst_then_at_a_rate),
        cmocka_unit_test(waits_are_recorded_in_their_window),
        cmocka_unit_test(a_log_that_fills_takes_fewer_events),
        cmocka_unit_test(an_object_s_address_has_several_lives),
        cmocka_unit_test(a_destroyed_lock_keeps_what_was_waited_for_it),
        cmocka_unit_test(destroyed_locks_of_many_places_take_bounded_room),
        cmocka_unit_test(options_are_read_and_bounded),
    };
    return cmocka_run_group_tests(tests, made_begin, made_end);
}
