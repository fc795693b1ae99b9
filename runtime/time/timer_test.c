/* Timers and tickers behave as package time of Go 1.23 says. */
#include "runtime/test/check.h"

TASK_TEST(fires_once_and_not_early)
{
    int64_t before = weft_now(), at = 0;
    struct weft_timer *t = weft_timer_new(2 * WEFT_MS);
    CHECK(weft_chan_recv(weft_timer_chan(t), &at) == 0);
    CHECK(at - before >= 2 * WEFT_MS && at <= weft_now());
    CHECK(weft_timer_stop(t) == 0);
    CHECK(weft_chan_try_recv(weft_timer_chan(t), &at) == -EAGAIN);
    weft_timer_free(t);
}

TASK_TEST(stopped_never_fires)
{
    struct weft_timer *t = weft_timer_new(WEFT_MS);
    CHECK(weft_timer_stop(t) == 1);
    CHECK(weft_timer_stop(t) == 0);
    weft_sleep(3 * WEFT_MS);
    CHECK(weft_chan_try_recv(weft_timer_chan(t), NULL) == -EAGAIN);
    weft_timer_free(t);
}

/* A value that was not received before stop or reset is not received after it. */
TASK_TEST(no_stale_value)
{
    int64_t at;
    struct weft_timer *t = weft_timer_new(0);
    weft_sleep(2 * WEFT_MS);
    CHECK(weft_chan_len(weft_timer_chan(t)) == 1);
    CHECK(weft_timer_stop(t) == 1);
    CHECK(weft_chan_try_recv(weft_timer_chan(t), NULL) == -EAGAIN);
    weft_timer_reset(t, 0);
    weft_sleep(2 * WEFT_MS);
    int64_t before = weft_now();
    CHECK(weft_timer_reset(t, WEFT_MS) == 1);
    CHECK(weft_chan_recv(weft_timer_chan(t), &at) == 0 && at >= before + WEFT_MS);
    weft_timer_free(t);
}

TASK_TEST(reset_moves_it)
{
    int64_t before = weft_now(), at;
    struct weft_timer *t = weft_timer_new(WEFT_S * 3600);
    CHECK(weft_timer_reset(t, WEFT_MS) == 1);
    CHECK(weft_chan_recv(weft_timer_chan(t), &at) == 0);
    CHECK(at - before >= WEFT_MS && at - before < WEFT_S * 60);
    weft_timer_free(t);
}

static _Atomic int calls;

static void call(void *arg)
{
    CHECK(weft_self() != NULL);
    calls++;
    weft_chan_close(arg);
}

TASK_TEST(function_runs_in_a_task)
{
    struct weft_chan *c = weft_chan_new(0, 0);
    calls = 0;
    struct weft_timer *t = weft_timer_func(WEFT_MS, call, c);
    CHECK(weft_timer_chan(t) == NULL);
    CHECK(weft_chan_recv(c, NULL) == -EPIPE && calls == 1);
    CHECK(weft_timer_stop(t) == 0);
    CHECK(weft_timer_reset(t, WEFT_S * 3600) == 0);
    CHECK(weft_timer_stop(t) == 1);
    weft_timer_free(t);
    weft_chan_release(c);
}

TASK_TEST(after_is_owned_by_the_caller)
{
    struct weft_chan *c = weft_after(WEFT_MS);
    CHECK(weft_chan_recv(c, NULL) == 0);
    weft_chan_release(c);
    weft_chan_release(weft_after(WEFT_MS)); /* before it fires */
    weft_sleep(3 * WEFT_MS);
}

/* Ticks come on the beat; who is late finds one of them, not all. */
TASK_TEST(ticker_drops_ticks)
{
    struct weft_ticker *t = weft_ticker_new(WEFT_MS);
    int64_t first, last = 0;
    CHECK(weft_chan_recv(weft_ticker_chan(t), &first) == 0);
    for (int i = 0; i < 5; i++)
        CHECK(weft_chan_recv(weft_ticker_chan(t), &last) == 0);
    CHECK(last - first >= 4 * WEFT_MS);
    weft_sleep(10 * WEFT_MS);
    CHECK(weft_chan_len(weft_ticker_chan(t)) == 1);
    weft_ticker_stop(t);
    CHECK(weft_chan_try_recv(weft_ticker_chan(t), NULL) == -EAGAIN);
    weft_sleep(3 * WEFT_MS);
    CHECK(weft_chan_try_recv(weft_ticker_chan(t), NULL) == -EAGAIN);
    weft_ticker_reset(t, WEFT_MS);
    CHECK(weft_chan_recv(weft_ticker_chan(t), NULL) == 0);
    weft_ticker_free(t);
}

TASK_TEST(tick_has_no_handle)
{
    struct weft_chan *c = weft_tick(WEFT_MS);
    CHECK(weft_chan_recv(c, NULL) == 0 && weft_chan_recv(c, NULL) == 0);
    CHECK(weft_tick(0) == NULL);
}

enum { SLEEPERS = 500 };
static _Atomic int awake;

static void sleeper(void *arg)
{
    int64_t ns = (int64_t)(intptr_t)arg, before = weft_now();
    weft_sleep(ns);
    CHECK(weft_now() - before >= ns);
    awake++;
}

TASK_TEST(many_sleepers)
{
    awake = 0;
    for (int i = 0; i < SLEEPERS; i++)
        weft_go(sleeper, (void *)(intptr_t)(i % 7 * WEFT_MS));
    while (awake < SLEEPERS)
        weft_sleep(WEFT_MS);
}

/* The heap against a plain list: timers of random times, some stopped, some set again. */
TASK_TEST(order_and_removal)
{
    enum { N = 300 };
    struct weft_timer *t[N];
    uint32_t random = 12345;
    int64_t at, last = 0, begin = weft_now();
    for (int i = 0; i < N; i++)
        t[i] = weft_timer_new(WEFT_S * 100 + i);
    for (int i = 0; i < N; i++) {
        random = random * 1664525u + 1013904223u;
        if (i % 3 == 0)
            CHECK(weft_timer_stop(t[i]) == 1);
        else
            CHECK(weft_timer_reset(t[i], WEFT_MS * 2 + (random >> 8) % 5000000) == 1);
    }
    for (int i = 0; i < N; i++) {
        if (i % 3 != 0) {
            CHECK(weft_chan_recv(weft_timer_chan(t[i]), &at) == 0);
            CHECK(at - begin >= WEFT_MS * 2);
            last = at > last ? at : last;
        }
        weft_timer_free(t[i]);
    }
    CHECK(last - begin < WEFT_S * 60);
}

struct race {
    struct weft_timer *timer;
    _Atomic int fired;
};

static void count_shot(void *arg)
{
    ((struct race *)arg)->fired++;
}

/* Stop against fire: either it says that it stopped it, and nothing runs, or the function runs. */
TASK_TEST(stop_races_with_fire)
{
    for (int i = 0; i < 300; i++) {
        struct race race = {.fired = 0};
        race.timer = weft_timer_func(i % 40 * WEFT_US, count_shot, &race);
        int64_t until = weft_now() + 20 * WEFT_US;
        while (weft_now() < until)
            weft_yield();
        int stopped = weft_timer_stop(race.timer);
        for (int spin = 0; !stopped && race.fired == 0; spin++) {
            CHECK(spin < 100000000);
            weft_yield();
        }
        if (stopped)
            weft_sleep(50 * WEFT_US);
        CHECK(race.fired == !stopped);
        weft_timer_free(race.timer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fires_once_and_not_early),
        cmocka_unit_test(stopped_never_fires),
        cmocka_unit_test(no_stale_value),
        cmocka_unit_test(reset_moves_it),
        cmocka_unit_test(function_runs_in_a_task),
        cmocka_unit_test(after_is_owned_by_the_caller),
        cmocka_unit_test(ticker_drops_ticks),
        cmocka_unit_test(tick_has_no_handle),
        cmocka_unit_test(many_sleepers),
        cmocka_unit_test(order_and_removal),
        cmocka_unit_test(stop_races_with_fire),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
