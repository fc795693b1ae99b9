/* Tasks that compute without a wait: the others go on, with one worker and with several. */
#include <sched.h>

#include "runtime/test/check.h"

static _Atomic int stop, ran, computing;

static void compute(void *arg)
{
    (void)arg;
    computing++;
    while (!stop) {
    }
}

static void run_and_stop(void *arg)
{
    ran++;
    if (arg)
        stop = 1;
}

/* Only another task ends the first one's computing; it is queued behind it. */
TASK_TEST(queued_behind_one_that_computes)
{
    struct weft_waitgroup wg = {0};
    stop = ran = 0;
    for (int i = 0; i < 10; i++)
        weft_waitgroup_go(&wg, run_and_stop, NULL);
    weft_waitgroup_go(&wg, run_and_stop, &stop);
    compute(NULL);
    weft_waitgroup_wait(&wg);
    CHECK(ran == 11);
}

/* More of them than workers. */
TASK_TEST(all_compute)
{
    struct weft_waitgroup wg = {0};
    enum { HOGS = 10 };
    stop = ran = computing = 0;
    for (int i = 0; i < HOGS; i++)
        weft_waitgroup_go(&wg, compute, NULL);
    while (computing < HOGS)
        weft_yield();
    weft_waitgroup_go(&wg, run_and_stop, &stop);
    weft_waitgroup_wait(&wg);
    struct weft_stats stats;
    CHECK(weft_stats(&stats) == 0);
    CHECK(stats.long_runs > 0);
}

static void stop_later(void *arg)
{
    (void)arg;
    weft_sleep(WEFT_MS);
    stop = 1;
}

/* What waits for time or for a value of a plain thread is not kept from it. */
TASK_TEST(timers_go_on)
{
    struct weft_waitgroup wg = {0};
    stop = computing = 0;
    weft_waitgroup_go(&wg, stop_later, NULL);
    for (unsigned i = 0; i < weft_workers(); i++)
        weft_waitgroup_go(&wg, compute, NULL);
    weft_waitgroup_wait(&wg);
}

static void ping(void *arg)
{
    struct weft_chan **c = arg;
    for (long v; weft_chan_recv(c[0], &v) == 0;)
        CHECK(weft_chan_send(c[1], &v) == 0);
}

/* Two that hand work to each other keep a second worker from ever being idle. */
static void talk_for_long(void *arg)
{
    (void)arg;
    struct weft_chan *c[] = {weft_chan_new(sizeof(long), 0), weft_chan_new(sizeof(long), 0)};
    struct weft_waitgroup wg = {0};
    weft_waitgroup_go(&wg, ping, c);
    for (long i = 0, v; !stop; i++) {
        CHECK(weft_chan_send(c[0], &i) == 0);
        CHECK(weft_chan_recv(c[1], &v) == 0 && v == i);
    }
    weft_chan_close(c[0]);
    weft_waitgroup_wait(&wg);
    weft_chan_release(c[0]);
    weft_chan_release(c[1]);
}

TASK_TEST(others_are_busy)
{
    struct weft_waitgroup wg = {0};
    stop = ran = 0;
    for (unsigned i = 1; i < weft_workers(); i++)
        weft_waitgroup_go(&wg, talk_for_long, NULL);
    for (int i = 0; i < 20; i++)
        weft_yield();
    for (int i = 0; i < 5; i++)
        weft_waitgroup_go(&wg, run_and_stop, NULL);
    weft_waitgroup_go(&wg, run_and_stop, &stop);
    compute(NULL);
    weft_waitgroup_wait(&wg);
}

/* The extra workers go when they are not needed, and others come when they are; with waits, locks
 * of the thread and blocking calls in between. */
static void do_nothing(void *arg)
{
    (void)arg;
}

static void mixed(void *arg)
{
    int64_t until = weft_now() + 30 * WEFT_MS;
    if ((intptr_t)arg % 3 == 0)
        CHECK(weft_lock_thread() == 0);
    while (weft_now() < until) {
    }
    weft_yield();
    CHECK(weft_blocking(do_nothing, NULL) == 0);
    weft_sleep(100 * WEFT_US);
    weft_unlock_thread();
}

TASK_TEST(come_and_go)
{
    for (int round = 0; round < 3; round++) {
        struct weft_waitgroup wg = {0};
        for (intptr_t i = 0; i < 8; i++)
            weft_waitgroup_go(&wg, mixed, (void *)i);
        weft_waitgroup_wait(&wg);
    }
}

/* Left behind by its run, on a worker or an extra one. */
static void leave_them(void *arg)
{
    (void)arg;
    computing = 0;
    for (int i = 0; i < 2; i++)
        weft_go(compute, NULL);
    while (computing < 2)
        weft_yield();
}

static void runs_end(void **state)
{
    (void)state;
    stop = 0;
    run_all(leave_them, NULL);
    stop = 1;
    run_all(do_nothing, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queued_behind_one_that_computes),
        cmocka_unit_test(all_compute),
        cmocka_unit_test(timers_go_on),
        cmocka_unit_test(others_are_busy),
        cmocka_unit_test(come_and_go),
        cmocka_unit_test(runs_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
