/* The numbers of weft_stats against what the tasks are known to have done. */
#include "runtime/test/check.h"

enum { WAITING = 7, ROUNDS = 1000 };

static void wait_for_value(void *arg)
{
    weft_chan_recv(arg, NULL);
}

static void nothing(void *arg)
{
    (void)arg;
}

TASK_TEST(counts)
{
    struct weft_chan *c = weft_chan_new(0, 0);
    struct weft_stats before, s;
    CHECK(weft_stats(&before) == 0);
    CHECK(before.tasks_running == 1 && before.tasks_waiting == 0 && before.tasks_runnable == 0);
    CHECK(before.workers == weft_workers());
    for (int i = 0; i < WAITING; i++)
        weft_go(wait_for_value, c);
    do { /* one is counted as waiting a moment before its park is */
        weft_yield();
        CHECK(weft_stats(&s) == 0);
    } while (s.tasks_waiting < WAITING || s.parks - before.parks < WAITING);
    CHECK(s.tasks_running == 1 && s.tasks_waiting == WAITING && s.tasks_runnable == 0);
    CHECK(s.parks - before.parks == WAITING);
    CHECK(s.switches - before.switches >= WAITING);
    for (int i = 0; i < WAITING; i++)
        weft_chan_send(c, NULL);
    do {
        weft_yield();
        CHECK(weft_stats(&s) == 0);
    } while (s.tasks_waiting + s.tasks_runnable + s.tasks_running > 1);
    CHECK(weft_blocking(nothing, NULL) == 0);
    CHECK(weft_stats(&s) == 0);
    CHECK(s.blocking_threads >= 1);
    CHECK(s.parks - before.parks == WAITING + 1);
    weft_chan_release(c);
}

static void count(void *arg)
{
    ++*(_Atomic int *)arg;
}

static void uncount(void *arg)
{
    --*(_Atomic int *)arg;
}

/* Without a yield here: others run them, and mostly steal them for that. */
TASK_TEST(taken_over)
{
    struct weft_stats before, after;
    CHECK(weft_stats(&before) == 0);
    int64_t end = weft_now() + 30 * WEFT_S;
    do {
        _Atomic int ran = 0;
        for (int i = 0; i < WAITING; i++)
            CHECK(weft_go(count, (void *)&ran) == 0);
        while (ran < WAITING)
            continue;
        await_ends();
        CHECK(weft_stats(&after) == 0);
    } while (after.steals == before.steals && weft_now() < end);
    CHECK(after.steals > before.steals);
}

static void count_runnable(void *arg)
{
    struct weft_stats s = {0};
    _Atomic int ran = 0;
    (void)arg;
    do { /* until no other worker had the time to take one */
        while (ran != 0)
            weft_yield();
        for (int i = 0; i < WAITING; i++, ran++)
            CHECK(weft_go(uncount, (void *)&ran) == 0);
        CHECK(weft_stats(&s) == 0);
    } while (ran != WAITING);
    CHECK(s.tasks_runnable == WAITING && s.tasks_running == 1 && s.tasks_waiting == 0);
    while (ran != 0)
        weft_yield();
}

static void runnable_ones_count(void **state)
{
    struct weft_options options = {.workers = 1};
    (void)state;
    assert_int_equal(weft_run_with(&options, count_runnable, NULL), 0);
}

static void one_worker(void *arg)
{
    struct weft_stats before, after;
    (void)arg;
    CHECK(weft_stats(&before) == 0);
    for (int i = 0; i < ROUNDS; i++)
        weft_yield();
    CHECK(weft_stats(&after) == 0);
    CHECK(after.parks == before.parks && after.switches - before.switches >= ROUNDS);
    /* Where others took the CPU for long, an extra worker may have come and stolen the task. */
    CHECK(after.long_runs > 0 || (after.switches - before.switches == ROUNDS && after.steals == 0));
}

static void each_switch_counts(void **state)
{
    struct weft_options options = {.workers = 1};
    (void)state;
    assert_int_equal(weft_run_with(&options, one_worker, NULL), 0);
}

/* The thread that a task locks is one more, as its worker goes on by another. */
TASK_TEST(threads)
{
    struct weft_stats before, s;
    CHECK(weft_blocking(nothing, NULL) == 0);
    CHECK(weft_stats(&before) == 0);
    CHECK(before.threads >= before.workers + before.blocking_threads + 1);
    CHECK(weft_lock_thread() == 0);
    CHECK(weft_stats(&s) == 0);
    CHECK(s.threads >= s.workers + s.blocking_threads + 2);
    weft_unlock_thread();
}

static void outside(void **state)
{
    struct weft_stats s;
    (void)state;
    assert_int_equal(weft_stats(&s), -ESRCH);
    assert_int_equal(s.workers, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts),
        cmocka_unit_test(taken_over),
        cmocka_unit_test(runnable_ones_count),
        cmocka_unit_test(each_switch_counts),
        cmocka_unit_test(threads),
        cmocka_unit_test(outside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
