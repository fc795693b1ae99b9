/* Locks that are noted where somebody looks, instead of being told of: this test is who looks. */
#include "runtime/test/check.h"

#include <loiter.h>

static struct loiter_note *note;
static struct weft_mutex a, b, c;
static struct weft_rwmutex rw;
static int taken, acquired, released, waits;
static const void *last;

void loiter_worker_note(struct loiter_note *n)
{
    if (n) {
        note = n;
        n->left = 100;
    }
}

void loiter_lock_taken(enum loiter_wait why, const void *lock, const void *pc, const void *frame,
                       const void *caller)
{
    CHECK(why && pc && frame && caller);
    last = lock;
    taken++;
}

void loiter_lock_acquired(enum loiter_wait why, const void *lock, const void *caller)
{
    CHECK(why && caller);
    last = lock;
    acquired++;
}

void loiter_lock_released(const void *lock, struct loiter_task *owner)
{
    (void)owner;
    last = lock;
    released++;
}

/* Whoever waits has its notes taken from it. */
void loiter_lock_waits(struct loiter_task *t, enum loiter_wait why, const void *lock,
                       const void *pc, const void *frame, const void *caller)
{
    CHECK(t && why && lock && pc && frame && caller);
    CHECK(note->at[0].lock == 0 && note->at[1].lock == 0);
    waits++;
}

static void run(void (*fn)(void *))
{
    struct weft_options one = {.workers = 1};
    taken = acquired = released = waits = 0;
    CHECK(weft_run_with(&one, fn, NULL) == 0);
}

static int lies_in(const void *pc, void (*function)(void *))
{
    return (uintptr_t)pc > (uintptr_t)function && (uintptr_t)pc < (uintptr_t)function + 4096;
}

static void two_in_turn(void *arg)
{
    (void)arg;
    weft_mutex_lock(&a);
    CHECK(note->at[0].lock == (uintptr_t)&a && note->left == 99);
    CHECK(note->at[0].frame == __builtin_dwarf_cfa());
    CHECK(note->at[0].caller == __builtin_return_address(0));
    CHECK(lies_in(note->at[0].pc, two_in_turn));
    weft_rwmutex_lock(&rw);
    CHECK(note->at[1].lock == (uintptr_t)&rw + 2 && note->left == 98);
    CHECK(lies_in(note->at[1].pc, two_in_turn) && note->at[1].pc != note->at[0].pc);
    CHECK(note->later == note->left);
    weft_mutex_unlock(&a);
    weft_mutex_lock(&a);
    CHECK(note->at[0].lock == (uintptr_t)&a && note->later != note->left);
    weft_rwmutex_unlock(&rw);
    weft_rwmutex_rlock(&rw);
    CHECK(note->at[1].lock == (uintptr_t)&rw + 1 && note->later == note->left);
    weft_rwmutex_runlock(&rw);
    weft__mutex_lock_told(&b, 0, &b, __builtin_dwarf_cfa(), &b); /* as one that was not free */
    CHECK(note->at[1].lock == (uintptr_t)&b && note->later == note->left);
    weft_mutex_unlock(&b);
    weft_mutex_unlock(&a);
    CHECK(note->at[0].lock == 0 && note->at[1].lock == 0 && note->left == 95);
    CHECK(taken == 0 && acquired == 0 && released == 0);
}

static void what_is_free_is_noted(void **state)
{
    (void)state;
    run(two_in_turn);
}

static void three_at_once(void *arg)
{
    (void)arg;
    weft_mutex_lock(&a);
    weft_mutex_lock(&b);
    weft_mutex_lock(&c);
    CHECK(taken == 1 && last == &c && note->left == 98);
    weft_mutex_unlock(&c);
    CHECK(released == 1 && last == &c);
    note->at[0].lock = 0; /* taken from there, by the handler of a signal */
    weft_mutex_unlock(&b);
    CHECK(released == 1);
    weft_mutex_unlock(&a);
    CHECK(released == 2 && last == &a);
}

static void what_has_no_room_is_told(void **state)
{
    (void)state;
    run(three_at_once);
}

/* The listener says how many may be noted. */
static void none_left(void *arg)
{
    (void)arg;
    note->left = 1;
    weft_mutex_lock(&a);
    CHECK(taken == 0 && note->left == 0);
    weft_mutex_unlock(&a);
    weft_mutex_lock(&a);
    CHECK(taken == 1 && last == &a && note->left == 0);
    weft_mutex_unlock(&a);
    weft_rwmutex_rlock(&rw);
    CHECK(taken == 2 && last == &rw && note->left == 0);
    weft_rwmutex_runlock(&rw);
    weft_rwmutex_lock(&rw);
    CHECK(taken == 3 && note->left == 0);
    weft_rwmutex_unlock(&rw);
    CHECK(released == 3);
}

static void samples_are_told(void **state)
{
    (void)state;
    run(none_left);
}

static void take_all(void *arg)
{
    (void)arg;
    weft_mutex_lock(&a);
    weft_mutex_unlock(&a);
    weft_rwmutex_rlock(&rw);
    weft_rwmutex_runlock(&rw);
    weft_rwmutex_lock(&rw);
    weft_rwmutex_unlock(&rw);
}

static void others_wait(void *arg)
{
    struct weft_waitgroup tasks = {0};
    (void)arg;
    weft_mutex_lock(&a);
    weft_rwmutex_lock(&rw);
    note->at[0].lock = note->at[1].lock = 0; /* as by a listener, who is not told of this switch */
    CHECK(weft_waitgroup_go(&tasks, take_all, NULL) == 0);
    await_waiting(1);
    weft_mutex_unlock(&a);
    await_waiting(1);
    weft_rwmutex_unlock(&rw);
    weft_waitgroup_wait(&tasks);
    CHECK(waits == 2 && released == 2);
    CHECK(note->left == 100 - 2 - 3);
}

/* However often it was tried. */
static void each_is_counted_once(void **state)
{
    (void)state;
    run(others_wait);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_free_is_noted),
        cmocka_unit_test(what_has_no_room_is_told),
        cmocka_unit_test(samples_are_told),
        cmocka_unit_test(each_is_counted_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
