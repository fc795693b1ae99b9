/* Timers and tickers behave as package time of Go 1.23 says. */
#include <stdbool.h>

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
    while (weft_chan_len(weft_ticker_chan(t)) == 0) /* another worker's timers may be later */
        weft_yield();
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

/* ---- many timers, several workers, random stops and resets, against what each was told ---- */

enum { CROWD = 400, HANDS = 6, OPERATIONS = 4000 };

struct one {
    struct weft_mutex mutex; /* one operation at a time; it fires whenever it likes */
    struct weft_timer *timer;
    int64_t due;              /* of the last time it was set */
    uint32_t set, taken_back; /* how often; how often stop or reset said 1 */
    uint32_t received;        /* of a channel */
    _Atomic uint32_t ran;     /* of a function */
    bool function;
};

static struct one crowd[CROWD];
static struct weft_waitgroup hands;
static _Atomic uint32_t hand_number;

static void one_runs(void *arg)
{
    struct one *o = arg;
    CHECK(weft_now() > 0);
    o->ran++;
}

static void receive_one(struct one *o)
{
    int64_t at;
    if (o->function || weft_chan_try_recv(weft_timer_chan(o->timer), &at) != 0)
        return;
    CHECK(at >= o->due && at <= weft_now());
    o->received++;
}

static void touch(struct one *o, uint32_t random)
{
    int64_t ns = (int64_t)(random >> 4) % (random % 8 == 0 ? WEFT_S : WEFT_MS);
    weft_mutex_lock(&o->mutex);
    receive_one(o);
    if (random % 3 == 0) {
        o->taken_back += (uint32_t)weft_timer_stop(o->timer);
        CHECK(o->function || weft_chan_len(weft_timer_chan(o->timer)) == 0);
    } else if (random % 3 == 1) {
        o->due = weft_now() + ns;
        o->taken_back += (uint32_t)weft_timer_reset(o->timer, ns);
        o->set++;
    }
    weft_mutex_unlock(&o->mutex);
}

static void hand(void *arg)
{
    (void)arg;
    uint32_t random = 77 + hand_number++;
    for (int i = 0; i < OPERATIONS; i++) {
        random = random * 1664525u + 1013904223u;
        touch(&crowd[(random >> 8) % CROWD], random >> 10);
        if (i % 16 == 0)
            weft_yield();
    }
}

TASK_TEST(random_stops_and_resets)
{
    memset(crowd, 0, sizeof crowd);
    for (int i = 0; i < CROWD; i++) {
        struct one *o = &crowd[i];
        o->function = i % 2;
        o->due = weft_now() + i * WEFT_US;
        o->set = 1;
        o->timer =
            o->function ? weft_timer_func(i * WEFT_US, one_runs, o) : weft_timer_new(i * WEFT_US);
    }
    for (int i = 0; i < HANDS; i++)
        CHECK(weft_waitgroup_go(&hands, hand, NULL) == 0);
    weft_waitgroup_wait(&hands);
    for (int i = 0; i < CROWD; i++) {
        struct one *o = &crowd[i];
        receive_one(o);
        o->taken_back += (uint32_t)weft_timer_stop(o->timer);
        /* Each time it was set it either fired or was taken back. */
        while (o->function && o->ran + o->taken_back < o->set)
            weft_yield();
        CHECK((o->function ? o->ran : o->received) + o->taken_back == o->set);
        weft_timer_free(o->timer);
    }
}

/* A select with a time limit locks the channel of a timer and then a heap; a timer that fires, and
 * one that is stopped, come from the other side. */
static void choose(void *arg)
{
    uint32_t random = (uint32_t)(uintptr_t)arg;
    for (int i = 0; i < 6000; i++) {
        random = random * 1664525u + 1013904223u;
        struct weft_timer *t = weft_timer_new((random >> 8) % 2500);
        struct weft_case cases[] = {WEFT_RECV(weft_timer_chan(t), NULL), WEFT_RECV(NULL, NULL)};
        int r = weft_select(cases, 2, 1 + (random >> 16) % 20 * WEFT_US);
        CHECK(r == 0 || r == -ETIMEDOUT);
        CHECK(weft_timer_stop(t) == 0 || r != 0);
        weft_timer_free(t);
    }
    weft_waitgroup_done(&hands);
}

TASK_TEST(limits_beside_timers)
{
    for (uintptr_t i = 0; i < HANDS; i++) {
        weft_waitgroup_add(&hands, 1);
        CHECK(weft_go(choose, (void *)i) == 0);
    }
    weft_waitgroup_wait(&hands);
}

TASK_TEST(ends_of_the_range)
{
    struct weft_timer *never = weft_timer_new(INT64_MAX);
    struct weft_timer *now = weft_timer_new(INT64_MIN);
    struct weft_ticker *ticker = weft_ticker_new(INT64_MAX);
    int64_t at;
    CHECK(weft_chan_recv(weft_timer_chan(now), &at) == 0 && at <= weft_now());
    CHECK(weft_chan_len(weft_timer_chan(never)) == 0);
    CHECK(weft_timer_reset(never, INT64_MAX - 1) == 1);
    weft_ticker_reset(ticker, 1);
    CHECK(weft_chan_recv(weft_ticker_chan(ticker), &at) == 0);
    CHECK(weft_chan_recv(weft_ticker_chan(ticker), &at) == 0);
    CHECK(weft_timer_stop(never) == 1);
    weft_timer_free(never);
    weft_timer_free(now);
    weft_ticker_free(ticker);
}

/* However late a tick is seen, there are never more of them than beats. */
TASK_TEST(ticks_keep_to_the_beat)
{
    const int64_t period = 200 * WEFT_US;
    int64_t begin = weft_now(), at;
    struct weft_ticker *t = weft_ticker_new(period);
    for (int i = 0; i < 50; i++) {
        CHECK(weft_chan_recv(weft_ticker_chan(t), &at) == 0);
        CHECK((at - begin) / period > i);
        for (int64_t until = weft_now() + i % 5 * period / 2; weft_now() < until;)
            weft_yield();
    }
    weft_ticker_free(t);
}

/* Moved to later again and again, it fires once and not before the last time. */
TASK_TEST(later_and_later)
{
    struct weft_timer *t = weft_timer_new(100 * WEFT_US);
    int64_t due = 0, at;
    for (int i = 0; i < 2000; i++) {
        due = weft_now() + WEFT_MS;
        weft_timer_reset(t, WEFT_MS);
        if (i % 8 == 0)
            weft_yield();
    }
    CHECK(weft_chan_recv(weft_timer_chan(t), &at) == 0 && at >= due);
    CHECK(weft_chan_len(weft_timer_chan(t)) == 0);
    CHECK(weft_timer_reset(t, 3600 * WEFT_S) == 0);
    CHECK(weft_timer_reset(t, WEFT_US) == 1);
    CHECK(weft_chan_recv(weft_timer_chan(t), &at) == 0);
    weft_timer_free(t);
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
        cmocka_unit_test(random_stops_and_resets),
        cmocka_unit_test(limits_beside_timers),
        cmocka_unit_test(ends_of_the_range),
        cmocka_unit_test(ticks_keep_to_the_beat),
        cmocka_unit_test(later_and_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
