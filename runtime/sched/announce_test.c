/* Tasks and waits that need not be told: this test is who listens, and lets all pass that are asked
 * for. */
#include "runtime/test/check.h"

#include <loiter.h>

#include "runtime/chan/waitq.h"

enum { ROUNDS = 100 };

/* What a task's `tool` points to. */
struct record {
    char own[LOITER_AGAIN_OFFSET];
    struct loiter_again again;
};

static struct record records[64];
static unsigned made;
static struct loiter_note *note;
static uint64_t clock_now, nothing;
static uint32_t nobody;
static struct loiter_making *making;
static uint32_t pressed, rounds, made_in;
static uint64_t ended, made_at, now;
static int parks, wakings, births;
static int holds, timed, selects; /* how one of the two waits */

void loiter_waits_pass(void) {}

void loiter_worker_note(struct loiter_note *n)
{
    note = n ? n : note;
    if (n)
        n->left = 100;
}

void loiter_lock_taken(enum loiter_wait why, const void *lock, const void *pc, const void *frame,
                       const void *caller)
{
    CHECK(why && lock && pc && frame && caller);
}

void loiter_lock_acquired(enum loiter_wait why, const void *lock, const void *caller)
{
    CHECK(why && lock && caller);
}

void loiter_lock_released(const void *lock, struct loiter_task *owner)
{
    CHECK(lock && owner != LOITER_SOMEBODY);
}

void loiter_task_created(struct loiter_task *t, void (*start)(void), size_t stack_bytes,
                         size_t capture_bytes, const void *caller, const void *arg)
{
    (void)arg;
    CHECK(made < sizeof records / sizeof *records);
    struct record *r = &records[made++];
    t->tool = r;
    births++;
    const struct weft_task *me = weft__self();
    if (!making || !me)
        return;
    const void *frame = making->frame;
    *making = (struct loiter_making){.left = ROUNDS,
                                     .caller = caller,
                                     .frame = frame,
                                     .clock = &clock_now,
                                     .maker = me->loiter.id,
                                     .start = start,
                                     .stack_bytes = stack_bytes,
                                     .capture_bytes = capture_bytes,
                                     .pressed = &pressed,
                                     .ends = &ended,
                                     .young = r,
                                     .now = &now,
                                     .made_at = &made_at,
                                     .made_in = &made_in,
                                     .rounds = &rounds};
    for (unsigned i = 0; i < LOITER_MAKING_NEAR; i++)
        making->at[i] = (const uintptr_t *)&nothing;
}

void loiter_worker_makes(struct loiter_making *m)
{
    making = m;
}

void loiter_task_park(struct loiter_task *t, enum loiter_wait why, const void *const *objects,
                      unsigned n, int has_limit, const void *caller)
{
    struct loiter_again *a = loiter_again_of(t);
    parks++;
    CHECK(a && why && caller && a->waits == 0 && (has_limit == 0 || timed));
    const void *frame = a->frame, *waking_frame = a->waking_frame;
    *a = (struct loiter_again){.left = 1000,
                               .caller = caller,
                               .frame = frame,
                               .at = (const uintptr_t *)&nothing,
                               .clock = &clock_now,
                               .n = n,
                               .waker_watched = &nothing,
                               .waking_frame = waking_frame,
                               .pressed = &nobody,
                               .rounds = {&nobody, &nobody}};
    for (unsigned i = 0; i < n && i < LOITER_AGAIN_MOST; i++) {
        a->object[i] = objects[i];
        a->watched[i] = &nothing;
    }
}

/* The next may be woken as this one was. */
void loiter_task_ready(struct loiter_task *t, const void *object)
{
    struct loiter_again *a = loiter_again_of(t);
    struct weft_task *me = weft__self();
    wakings++;
    CHECK(a != NULL);
    a->waits = 0;
    a->woken = object;
    a->waker = me ? me->loiter.tool : NULL;
}

/* ---- two in turn ---- */

static struct weft_chan *there, *back;
static struct weft_mutex mutex;

static void answer(void *arg)
{
    (void)arg;
    for (int v; weft_chan_recv(there, &v) == 0;)
        weft_chan_send(back, &v);
}

static void ask(int i)
{
    int v = -1;
    weft_chan_send(there, &i);
    if (selects) {
        struct weft_case cases[] = {WEFT_RECV(back, &v)};
        CHECK(weft_select(cases, 1, timed ? WEFT_S : WEFT_FOREVER) == 0);
    } else {
        CHECK(weft_chan_recv(back, &v) == 0);
    }
    CHECK(v == i);
}

static void turns(void *arg)
{
    (void)arg;
    there = weft_chan_new(sizeof(int), 1);
    back = weft_chan_new(sizeof(int), 1);
    CHECK(weft_go(answer, NULL) == 0);
    for (int i = 0; i < ROUNDS; i++) {
        if (i == 10)
            parks = wakings = 0;
        if (holds)
            weft_mutex_lock(&mutex);
        ask(i);
        if (holds)
            weft_mutex_unlock(&mutex);
    }
    weft_chan_close(there);
    weft_chan_release(there);
    weft_chan_release(back);
}

static void run(void)
{
    struct weft_options one = {.workers = 1};
    CHECK(weft_run_with(&one, turns, NULL) == 0);
}

static void waits_that_pass_are_not_told(void **state)
{
    (void)state;
    holds = timed = selects = 0;
    run();
    CHECK(parks <= 5 && wakings <= 5);
    selects = 1;
    run();
    CHECK(parks <= 5 && wakings <= 5);
}

static void one_with_a_limit_is_told(void **state)
{
    (void)state;
    holds = 0;
    timed = selects = 1;
    run();
    CHECK(parks >= ROUNDS - 12 && wakings >= ROUNDS - 12);
}

static void one_with_a_lock_held_is_told(void **state)
{
    (void)state;
    holds = 1;
    timed = selects = 0;
    run();
    CHECK(parks >= ROUNDS - 12 && wakings >= ROUNDS - 12);
}

/* As each is whose time is over. */
static void one_after_a_tick_is_told(void **state)
{
    (void)state;
    holds = timed = selects = 0;
    clock_now++; /* no `tick` is that */
    run();
    CHECK(parks >= ROUNDS - 12 && wakings >= ROUNDS - 12);
    clock_now--;
}

/* ---- tasks ---- */

static void short_one(void *arg)
{
    ++*(int *)arg;
}

static int spare, ran;

static void make_one_by_one(void *arg)
{
    (void)arg;
    births = 0;
    for (int i = 0; i < ROUNDS; i++) {
        CHECK((spare ? weft_go_copy(short_one, &(int){0}, sizeof(int))
                     : weft_go(short_one, &ran)) == 0);
        ended = 0; /* also if it does not */
        if (i % 8 == 7)
            spare = !spare;
        weft_yield();
    }
    spare = 0;
}

static void tasks_that_pass_are_not_told(void **state)
{
    (void)state;
    ran = 0;
    struct weft_options one = {.workers = 1};
    CHECK(weft_run_with(&one, make_one_by_one, NULL) == 0);
    /* Each time that it is another place. */
    CHECK(births == (ROUNDS + 7) / 8);
    CHECK(now == (uint64_t)(ROUNDS - births) && making == NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tasks_that_pass_are_not_told),
        cmocka_unit_test(waits_that_pass_are_not_told),
        cmocka_unit_test(one_with_a_limit_is_told),
        cmocka_unit_test(one_with_a_lock_held_is_told),
        cmocka_unit_test(one_after_a_tick_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
