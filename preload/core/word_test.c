/* word_test.c - waits for words of memory: which of them are for locks, what is known of a word
 * that is another one by now, and how many are known. */
#include "preload/core/made_record.h"
#include "preload/core/object.h"
#include "preload/core/wait.h"
#include "preload/core/word.h"

static uint64_t number(const void *word)
{
    return (uint64_t)(uintptr_t)word;
}

static struct pl_object *record_of(uint64_t word)
{
    struct pl_self *self = pl_enter();
    struct pl_object *o = pl_object_record(self, EL_OBJ_FUTEX, word, 0);
    pl_leave(self);
    return o;
}

static uint64_t waits_of(uint32_t stack)
{
    struct pl_self *self = pl_enter();
    struct pl_site *site = pl_site_get(EL_SITE_LOCK_IO, stack, 7);
    pl_leave(self);
    return site->cell->count;
}

static void hold(const void *lock)
{
    struct pl_self *self = pl_enter();
    pl_held_push(self->actor, EL_WAIT_MUTEX, lock, 7);
    pl_leave(self);
}

static void let_go(const void *lock)
{
    struct pl_held_lock was;
    struct pl_self *self = pl_enter();
    pl_wait_settle(self);
    assert_true(pl_held_remove(self->actor, lock, &was));
    pl_leave(self);
}

static void wake(const void *word)
{
    struct pl_self *self = pl_enter();
    pl_word_wakes(self, number(word));
    struct pl_object *o = pl_object_recent(self, number(word));
    if (o != NULL)
        pl_object_woken_at(self, o, 1, 2, 3);
    pl_leave(self);
}

/* As the wrapper does it. The place. */
__attribute__((noinline)) static uint32_t wait_at(const void *word, struct pl_call call)
{
    struct pl_wait w;
    assert_int_equal(pl_wait_begin(&w, EL_WAIT_FUTEX, number(word), 0, call), 1);
    pl_wait_end(&w, 0);
    struct pl_self *self = pl_enter();
    pl_word_waited(self, number(word), 2, w.stack);
    pl_leave(self);
    return w.stack;
}

__attribute__((noinline)) static uint32_t wait_here(const void *word)
{
    return wait_at(word, PL_CALL());
}

__attribute__((noinline)) static uint32_t lock_here(const void *word)
{
    return wait_at(word, PL_CALL());
}

static void an_answer_that_is_waited_for_with_a_lock_held(void **state)
{
    (void)state;
    static int lock;
    uint32_t word = 0, place = 0;
    for (int i = 0; i < 3; i++) {
        hold(&lock);
        place = wait_here(&word);
        let_go(&lock);
    }
    assert_false(pl_word_is_lock(place));
    assert_int_equal(waits_of(place), 3);
}

static void a_lock_that_is_waited_for_with_another_one_held(void **state)
{
    (void)state;
    static int lock;
    uint32_t word = 0, place = 0;
    for (int i = 0; i < 3; i++) {
        hold(&lock);
        place = lock_here(&word);
        place = lock_here(&word); /* somebody else had it first */
        wake(&word);
        let_go(&lock);
    }
    assert_true(pl_word_is_lock(place));
    assert_int_equal(waits_of(place), 0);
}

/* Each in turn has waited for the word, has it for a time, and wakes the next. */
static void had_by(const void *word, uint64_t task, uint32_t expected)
{
    struct pl_self *self = pl_enter();
    struct pl_actor *before = made_become(self, made_task(task, 1));
    pl_word_waited(self, number(word), expected, 5);
    pl_word_wakes(self, number(word));
    made_become(self, before);
    pl_leave(self);
}

static void a_lock_goes_from_one_to_another(void **state)
{
    (void)state;
    uint32_t word = 0;
    wait_here(&word);
    const struct el_object *cell = record_of(number(&word))->cell;
    had_by(&word, 1, 2);
    had_by(&word, 1, 2);
    const uint64_t items = cell->items;
    had_by(&word, 2, 2);
    had_by(&word, 1, 2);
    assert_int_equal(cell->items, items + 2);
    assert_int_equal(cell->capacity, 3);
    had_by(&word, 1, 1); /* another value is waited for: it says something */
    assert_true(cell->capacity == UINT64_MAX);
    had_by(&word, 1, 2);
    assert_true(cell->capacity == UINT64_MAX);
}

static void two_that_have_it_at_once(void **state)
{
    (void)state;
    uint32_t word = 0;
    wait_here(&word);
    const struct el_object *cell = record_of(number(&word))->cell;
    for (uint64_t i = 0; i < 6; i++)
        had_by(&word, 1 + i % 2, 2);
    const uint64_t items = cell->items;
    struct pl_self *self = pl_enter();
    struct pl_thread *thread = self->thread;
    pl_word_waited(self, number(&word), 2, 5);
    const struct pl_word first = thread->words[thread->word_last];
    pl_word_wakes(self, number(&word));
    assert_int_equal(cell->items, items + 1);
    thread->words[thread->word_last] = first; /* as if by another, whose wait ended then too */
    pl_word_wakes(self, number(&word));
    assert_int_equal(cell->items, items + 1 - 4);
    thread->words[thread->word_last] = first;
    pl_word_wakes(self, number(&word));
    pl_leave(self);
    assert_int_equal(cell->items, 0);
}

static void it_is_given_back_by_another_meanwhile(void **state)
{
    (void)state;
    uint32_t word = 0;
    wait_here(&word);
    const struct el_object *cell = record_of(number(&word))->cell;
    for (uint64_t i = 0; i < 7; i++)
        had_by(&word, 1 + i % 2, 2);
    const uint64_t items = cell->items;
    struct pl_self *self = pl_enter();
    struct pl_thread *thread = self->thread;
    pl_word_waited(self, number(&word), 2, 5);
    const struct pl_word mine = thread->words[thread->word_last];
    thread->words[thread->word_last] = (struct pl_word){0};
    pl_word_wakes(self, number(&word)); /* as if by one that had taken it at once */
    thread->words[thread->word_last] = mine;
    pl_word_wakes(self, number(&word));
    pl_leave(self);
    assert_int_equal(cell->items, items - 4);
}

static void what_is_left_is_counted(void **state)
{
    (void)state;
    uint32_t word = 0;
    struct pl_wait w;
    pl_wait_begin(&w, EL_WAIT_FUTEX, number(&word), 0, PL_CALL());
    pl_wait_end(&w, 0);
    const struct el_object *cell = record_of(number(&word))->cell;
    had_by(&word, 1, 0);
    had_by(&word, 2, 0);
    assert_true(cell->capacity == UINT64_MAX);
}

static void what_was_known_of_a_word_ends_with_its_waits(void **state)
{
    (void)state;
    uint32_t word = 0;
    struct pl_wait w, other;
    const struct pl_call call = PL_CALL();
    wait_here(&word);
    struct pl_object *o = record_of(number(&word));
    assert_non_null(o);
    wake(&word); /* in vain: nobody waits */
    assert_int_equal(o->cell->wakes, 1);
    pl_wait_begin(&w, EL_WAIT_FUTEX, number(&word), 0, call);
    assert_int_equal(o->cell->wakes, 0);
    assert_int_equal(o->cell->last_waker, 0);
    wake(&word);
    wake(&word);
    pl_wait_begin(&other, EL_WAIT_FUTEX, number(&word), 0, call);
    assert_int_equal(o->cell->wakes, 2); /* it is the same as long as somebody waits */
    assert_int_equal(o->cell->last_waker, pl_self()->actor->id);
    pl_wait_end(&other, 0);
    pl_wait_end(&w, 0);
    assert_int_equal(pl_self()->actor->cell->waker, pl_self()->actor->id);
}

static void a_word_becomes_a_mutex(void **state)
{
    (void)state;
    uint32_t word = 0;
    struct pl_wait w;
    wait_here(&word);
    struct pl_object *o = record_of(number(&word));
    assert_int_equal(o->cell->kind, EL_OBJ_FUTEX);
    pl_wait_begin(&w, EL_WAIT_MUTEX, number(&word), 0, PL_CALL());
    assert_int_equal(o->cell->kind, EL_OBJ_MUTEX);
    assert_int_equal(o->cell->capacity, 0);
    pl_wait_end(&w, 0);
    wait_here(&word);
    assert_int_equal(o->cell->kind, EL_OBJ_FUTEX);
}

static void a_wait_that_was_none(void **state)
{
    (void)state;
    uint32_t word = 0;
    struct pl_wait w;
    wait_here(&word);
    struct pl_object *o = record_of(number(&word));
    struct el_actor *cell = pl_self()->actor->cell;
    const uint32_t waits = o->cell->waits;
    cell->waker = 99;
    for (int i = 0; i < 5; i++) {
        pl_wait_begin(&w, EL_WAIT_FUTEX, number(&word), 0, PL_CALL());
        assert_int_equal(cell->waits_here, 1);
        pl_wait_was_none(&w);
    }
    assert_int_equal(o->cell->waits, waits);
    assert_int_equal(atomic_load(&o->waiters), 0);
    assert_int_equal(cell->waits_here, 0);
    assert_int_equal(cell->waker, 99);
    assert_int_equal(cell->wait_kind, EL_WAIT_NONE);
    assert_int_equal(pl_self()->wait_count, 0);
}

/* Nobody says when a word is none any more, so there is an end to how many are known. */
static void as_many_as_there_is_room_for(void **state)
{
    (void)state;
    struct pl_self *self = pl_enter();
    uint64_t known = 0, address = 0x10000;
    for (; known < 100000; known++, address += 8)
        if (pl_object_waited_anew(self, EL_OBJ_FUTEX, address) == NULL)
            break;
    assert_in_range(known, 60000, 65536);
    assert_null(pl_object_waited_anew(self, EL_OBJ_FUTEX, address));
    assert_non_null(pl_object_waited_anew(self, EL_OBJ_COND, address));
    pl_object_gone(0x10000);
    assert_non_null(pl_object_waited_anew(self, EL_OBJ_FUTEX, address + 8));
    pl_leave(self);
    struct pl_wait w; /* which is recorded, and no more */
    assert_int_equal(pl_wait_begin(&w, EL_WAIT_FUTEX, address + 16, 0, PL_CALL()), 1);
    assert_null(w.record);
    pl_wait_end(&w, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_that_is_waited_for_with_a_lock_held),
        cmocka_unit_test(a_lock_that_is_waited_for_with_another_one_held),
        cmocka_unit_test(a_lock_goes_from_one_to_another),
        cmocka_unit_test(two_that_have_it_at_once),
        cmocka_unit_test(it_is_given_back_by_another_meanwhile),
        cmocka_unit_test(what_is_left_is_counted),
        cmocka_unit_test(what_was_known_of_a_word_ends_with_its_waits),
        cmocka_unit_test(a_word_becomes_a_mutex),
        cmocka_unit_test(a_wait_that_was_none),
        cmocka_unit_test(as_many_as_there_is_room_for),
    };
    return cmocka_run_group_tests(tests, made_begin, made_end);
}
