/*
 * What Go promises of sleeping, timers and tickers (package time, its sleep_test and tick_test),
 * each in a test of our own. Only what holds on a loaded machine is checked: nothing comes early,
 * everything comes; where Go's tests look at order they try again, as we do.
 *
 *   sleep takes at least its time                                     sleep_is_not_early
 *   no time at all, or a negative one, does not wait                  no_time
 *   a time so long that it overflows does not end early               very_long
 *   the function of a timer runs in a task, timers may chain          functions_chain
 *   a channel's value is the time at which it fired, not early        after_is_not_early
 *   later ones come later                                             after_in_order
 *   a stopped timer does not fire, a second stop says so              stop
 *   what reset returns; a timer moved on fires then and once          reset
 *   no value of before a stop or a reset                              no_stale_value
 *   who waits meanwhile goes on waiting, across a stop and a reset     wait_across_reset
 *   timers moved to the past many times are not lost                  moved_earlier
 *   timers moved back and forth all keep their time                   moved_about
 *   a timer of no time fires                                          zero_timer
 *   a ticker ticks, not early, and no more when it is stopped         ticker
 *   ticks that nobody takes are dropped                               slow_taker
 *   tickers end and begin one after the other                         teardown
 *   a bad interval: no channel from tick, else the program stops      deaths
 *   many tasks that sleep all wake                                    sleepers
 *   busy tasks do not keep timers from firing (libmill's overload)    busy_relays
 */
#include <stdbool.h>

#include "runtime/test/death.h"

TASK_TEST(sleep_is_not_early)
{
    static const int64_t times[] = {1, 1000, 50 * WEFT_US, WEFT_MS, 20 * WEFT_MS};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        int64_t before = weft_now();
        weft_sleep(times[i]);
        CHECK(weft_now() - before >= times[i]);
    }
}

TASK_TEST(no_time)
{
    int64_t at;
    for (int i = 0; i < 100; i++) {
        weft_sleep(0);
        weft_sleep(INT64_MIN);
    }
    struct weft_chan *c = weft_after(INT64_MIN);
    CHECK(weft_chan_recv(c, &at) == 0 && at <= weft_now());
    weft_chan_release(c);
}

static void sleep_for_ever(void *arg)
{
    (void)arg;
    weft_sleep(INT64_MAX);
    CHECK(!"it woke");
}

TASK_TEST(very_long)
{
    struct weft_timer *t = weft_timer_new(INT64_MAX);
    struct weft_chan *soon = weft_after(5 * WEFT_MS);
    struct weft_case cases[] = {WEFT_RECV(weft_timer_chan(t), NULL), WEFT_RECV(soon, NULL)};
    CHECK(weft_go(sleep_for_ever, NULL) == 0);
    CHECK(weft_select(cases, 2, INT64_MAX) == 1);
    CHECK(weft_timer_stop(t) == 1);
    weft_timer_free(t);
    weft_chan_release(soon);
}

enum { CHAINED = 10 };

struct chained {
    struct weft_timer *timer[CHAINED];
    struct weft_waitgroup wg;
    int left;
};

static void next_of_chain(void *arg)
{
    struct chained *c = arg;
    CHECK(weft_self() != NULL);
    if (c->left > 0) {
        struct weft_timer **timer = &c->timer[--c->left]; /* before the next runs */
        *timer = weft_timer_func(0, next_of_chain, c);
    }
    weft_waitgroup_done(&c->wg);
}

TASK_TEST(functions_chain)
{
    struct chained c = {.left = CHAINED};
    weft_waitgroup_add(&c.wg, CHAINED + 1);
    struct weft_timer *first = weft_timer_func(0, next_of_chain, &c);
    CHECK(weft_timer_chan(first) == NULL);
    weft_waitgroup_wait(&c.wg);
    CHECK(c.left == 0);
    for (int i = 0; i < CHAINED; i++)
        weft_timer_free(c.timer[i]);
    weft_timer_free(first);
}

TASK_TEST(after_is_not_early)
{
    for (int i = 0; i < 10; i++) {
        int64_t at, before = weft_now(), ns = i * WEFT_MS / 2;
        struct weft_chan *c = weft_after(ns);
        CHECK(weft_chan_recv(c, &at) == 0);
        CHECK(at >= before + ns && weft_now() >= at);
        weft_chan_release(c);
    }
}

static const int slots[] = {5, 3, 6, 6, 6, 1, 1, 2, 7, 9, 4, 8, 0};
enum { SLOTS = sizeof slots / sizeof *slots };

struct slot {
    struct weft_chan *results, *timer;
    int64_t slot, due;
};

static void report_slot(void *arg)
{
    struct slot *s = arg;
    int64_t at;
    CHECK(weft_chan_recv(s->timer, &at) == 0 && at >= s->due);
    CHECK(weft_chan_send(s->results, &s->slot) == 0);
    weft_chan_release(s->timer);
}

static bool comes_in_order(int64_t distance)
{
    struct weft_chan *results = weft_chan_new(sizeof(int64_t), SLOTS);
    int64_t before = weft_now(), slot, last = -1;
    bool good = true;
    for (int i = 0; i < SLOTS; i++) {
        struct slot s = {results, weft_after(slots[i] * distance), slots[i],
                         before + slots[i] * distance};
        CHECK(weft_go_copy(report_slot, &s, sizeof s) == 0);
    }
    for (int i = 0; i < SLOTS; i++) {
        CHECK(weft_chan_recv(results, &slot) == 0);
        good = good && slot >= last;
        last = slot;
    }
    await_ends();
    weft_chan_release(results);
    return good;
}

TASK_TEST(after_in_order)
{
    int64_t distance = WEFT_MS;
    while (!comes_in_order(distance) && distance < WEFT_S)
        distance *= 5;
    CHECK(distance < WEFT_S);
}

static void count_one(void *arg)
{
    ++*(_Atomic int *)arg;
}

TASK_TEST(stop)
{
    _Atomic int fired = 0;
    struct weft_timer *channel = weft_timer_new(WEFT_S * 3600);
    struct weft_timer *function = weft_timer_func(WEFT_S * 3600, count_one, &fired);
    CHECK(weft_timer_stop(channel) == 1 && weft_timer_stop(function) == 1);
    CHECK(weft_timer_stop(channel) == 0 && weft_timer_stop(function) == 0);
    /* Stopped close to its time: what stop returned is true. */
    for (int i = 0; i < 100; i++) {
        _Atomic int shots = 0;
        struct weft_timer *t = weft_timer_func(i * 2000, count_one, &shots);
        weft_sleep(100 * WEFT_US);
        int stopped = weft_timer_stop(t);
        while (!stopped && shots == 0)
            weft_yield();
        CHECK(shots == !stopped);
        weft_timer_free(t);
    }
    CHECK(weft_chan_try_recv(weft_timer_chan(channel), NULL) == -EAGAIN && fired == 0);
    weft_timer_free(channel);
    weft_timer_free(function);
}

TASK_TEST(reset)
{
    struct weft_timer *t = weft_timer_new(WEFT_S * 3600);
    int64_t at, before = weft_now();
    CHECK(weft_timer_reset(t, 5 * WEFT_MS) == 1);
    CHECK(weft_chan_recv(weft_timer_chan(t), &at) == 0 && at >= before + 5 * WEFT_MS);
    before = weft_now();
    CHECK(weft_timer_reset(t, WEFT_MS) == 0);
    CHECK(weft_chan_recv(weft_timer_chan(t), &at) == 0 && at >= before + WEFT_MS);
    CHECK(weft_timer_stop(t) == 0);
    CHECK(weft_timer_reset(t, 3600 * WEFT_S) == 0);
    CHECK(weft_timer_reset(t, 0) == 1);
    CHECK(weft_chan_recv(weft_timer_chan(t), &at) == 0);
    CHECK(weft_chan_try_recv(weft_timer_chan(t), &at) == -EAGAIN);
    weft_timer_free(t);
}

/* Go 1.23: after a stop or a reset no value of before is received. */
TASK_TEST(no_stale_value)
{
    int64_t at;
    struct weft_timer *t = weft_timer_new(0);
    struct weft_chan *c = weft_timer_chan(t);
    for (int i = 0; i < 20; i++) {
        while (weft_chan_len(c) == 0)
            weft_yield();
        CHECK(weft_timer_stop(t) == 1);
        CHECK(weft_chan_len(c) == 0 && weft_chan_try_recv(c, &at) == -EAGAIN);
        CHECK(weft_timer_reset(t, 0) == 0);
        while (weft_chan_len(c) == 0)
            weft_yield();
        int64_t before = weft_now();
        CHECK(weft_timer_reset(t, 100 * WEFT_US) == 1);
        CHECK(weft_chan_recv(c, &at) == 0 && at >= before + 100 * WEFT_US);
        CHECK(weft_timer_reset(t, 0) == 0);
    }
    weft_timer_free(t);
}

struct waiter {
    struct weft_chan *chan, *other;
    _Atomic int64_t at; /* 0: nothing came yet */
};

static void wait_for_value(void *arg)
{
    struct waiter *w = arg;
    int64_t at;
    struct weft_case cases[] = {WEFT_RECV(w->other, NULL), WEFT_RECV(w->chan, &at)};
    if (w->other)
        CHECK(weft_select(cases, 2, WEFT_FOREVER) == 1);
    else
        CHECK(weft_chan_recv(w->chan, &at) == 0);
    w->at = at;
}

/* Two wait, a receive and a select; both get a value of after the last reset. */
TASK_TEST(wait_across_reset)
{
    for (int i = 0; i < 8; i++) {
        struct weft_timer *timer = i % 2 ? NULL : weft_timer_new(3600 * WEFT_S);
        struct weft_ticker *ticker = i % 2 ? weft_ticker_new(3600 * WEFT_S) : NULL;
        struct weft_chan *c = timer ? weft_timer_chan(timer) : weft_ticker_chan(ticker);
        struct waiter waiters[] = {{.chan = c}, {.chan = c, .other = weft_chan_new(0, 0)}};
        for (int k = 0; k < 2; k++) {
            CHECK(weft_go(wait_for_value, &waiters[k]) == 0);
            await_waiting((uint64_t)k + 1);
        }
        if (timer && i < 4)
            CHECK(weft_timer_stop(timer) == 1);
        else if (i < 4)
            weft_ticker_stop(ticker);
        weft_yield();
        CHECK(waiters[0].at == 0 && waiters[1].at == 0);
        int64_t begun = weft_now();
        for (int k = 0; k < 2; k++) { /* in the order in which they came */
            if (timer)
                CHECK(weft_timer_reset(timer, WEFT_MS) == (k == 0 && i >= 4));
            else if (k == 0)
                weft_ticker_reset(ticker, WEFT_MS);
            while (waiters[k].at == 0)
                weft_yield();
            CHECK(waiters[k].at >= begun + (k + 1) * WEFT_MS);
        }
        await_ends();
        weft_chan_release(waiters[1].other);
        timer ? weft_timer_free(timer) : weft_ticker_free(ticker);
    }
}

TASK_TEST(moved_earlier)
{
    for (int i = 0; i < 200; i++) {
        struct weft_timer *t = weft_timer_new(3600 * WEFT_S);
        for (int k = 0; k < 10; k++) {
            weft_timer_stop(t);
            weft_timer_reset(t, -WEFT_S);
        }
        CHECK(weft_chan_recv(weft_timer_chan(t), NULL) == 0);
        CHECK(weft_chan_try_recv(weft_timer_chan(t), NULL) == -EAGAIN);
        weft_timer_free(t);
    }
}

/* Each timer goes through its states; which goes next is random. */
TASK_TEST(moved_about)
{
    enum { TIMERS = 100, STATES = 10 };
    static const int64_t minutes[] = {0, 0, 1, 0, 3, 0, 2, 0};
    struct weft_timer *timers[TIMERS];
    int state[TIMERS] = {0}, order[TIMERS], left = TIMERS;
    uint32_t random = (uint32_t)weft_now();
    for (int i = 0; i < TIMERS; i++)
        order[i] = i;
    while (left > 0) {
        random = random * 1664525u + 1013904223u;
        int which = (int)((random >> 8) % (uint32_t)left), i = order[which];
        struct weft_timer *t = timers[i];
        int s = state[i]++;
        if (s == 0)
            timers[i] = weft_timer_new(0);
        else if (s == 1 || s == STATES - 1)
            CHECK(weft_chan_recv(weft_timer_chan(t), NULL) == 0);
        else if (s == STATES - 2)
            CHECK(weft_timer_reset(t, 0) == 0);
        else if (s % 2)
            CHECK(weft_timer_stop(t) == 1);
        else
            CHECK(weft_timer_reset(t, minutes[s] * 60 * WEFT_S) == 0);
        if (state[i] == STATES) {
            weft_timer_free(t);
            order[which] = order[--left];
        }
    }
}

TASK_TEST(zero_timer)
{
    for (int i = 0; i < 3000; i++) {
        struct weft_timer *t = weft_timer_new(0);
        CHECK(weft_chan_recv(weft_timer_chan(t), NULL) == 0);
        weft_timer_free(t);
    }
}

TASK_TEST(ticker)
{
    int64_t at, last, delta = WEFT_MS, begun = weft_now();
    struct weft_ticker *t = weft_ticker_new(delta);
    for (int i = 1; i <= 5; i++) {
        CHECK(weft_chan_recv(weft_ticker_chan(t), &at) == 0);
        CHECK(at >= begun + i * delta);
    }
    last = weft_now();
    weft_ticker_reset(t, 2 * delta);
    for (int i = 1; i <= 5; i++) {
        CHECK(weft_chan_recv(weft_ticker_chan(t), &at) == 0);
        CHECK(at >= last + 2 * i * delta);
    }
    weft_ticker_stop(t);
    weft_sleep(5 * delta);
    CHECK(weft_chan_try_recv(weft_ticker_chan(t), &at) == -EAGAIN);
    weft_ticker_reset(t, delta);
    CHECK(weft_chan_recv(weft_ticker_chan(t), &at) == 0);
    weft_ticker_free(t);
}

TASK_TEST(slow_taker)
{
    struct weft_ticker *t = weft_ticker_new(100 * WEFT_US);
    int64_t first, second;
    while (weft_chan_len(weft_ticker_chan(t)) == 0)
        weft_yield();
    weft_sleep(5 * WEFT_MS);
    CHECK(weft_chan_len(weft_ticker_chan(t)) == 1 && weft_chan_cap(weft_ticker_chan(t)) == 1);
    CHECK(weft_chan_recv(weft_ticker_chan(t), &first) == 0);
    CHECK(weft_chan_recv(weft_ticker_chan(t), &second) == 0 && second > first);
    weft_ticker_free(t);
}

TASK_TEST(teardown)
{
    struct weft_ticker *fast = weft_ticker_new(1);
    for (int i = 0; i < 20; i++) {
        struct weft_ticker *t = weft_ticker_new(200 * WEFT_US);
        CHECK(weft_chan_recv(weft_ticker_chan(t), NULL) == 0);
        CHECK(weft_chan_recv(weft_ticker_chan(fast), NULL) == 0);
        if (i % 2)
            weft_ticker_stop(t);
        weft_ticker_free(t);
    }
    weft_ticker_free(fast);
}

struct sleepers {
    struct weft_waitgroup wg;
    _Atomic int woken;
};

static void sleep_a_little(void *arg)
{
    struct sleepers *s = arg;
    int64_t ns = (int64_t)(weft_id() % 50) * 40 * WEFT_US, before = weft_now();
    weft_sleep(ns);
    CHECK(weft_now() - before >= ns);
    s->woken++;
}

TASK_TEST(sleepers)
{
    enum { SLEEPERS = 2000 };
    struct sleepers s = {.woken = 0};
    for (int i = 0; i < SLEEPERS; i++)
        CHECK(weft_waitgroup_go(&s.wg, sleep_a_little, &s) == 0);
    weft_waitgroup_wait(&s.wg);
    CHECK(s.woken == SLEEPERS);
}

static void relay(void *arg)
{
    struct weft_chan **ends = arg;
    int64_t v;
    while (weft_chan_recv(ends[0], &v) == 0)
        CHECK(weft_chan_send(ends[1], &v) == 0);
}

TASK_TEST(busy_relays)
{
    struct weft_chan *a = weft_chan_new(8, 0), *b = weft_chan_new(8, 0);
    struct weft_chan *forth[] = {a, b}, *back[] = {b, a};
    int64_t v = 42, before = weft_now();
    CHECK(weft_go_copy(relay, forth, sizeof forth) == 0);
    CHECK(weft_go_copy(relay, back, sizeof back) == 0);
    CHECK(weft_chan_send(a, &v) == 0);
    weft_sleep(20 * WEFT_MS);
    CHECK(weft_now() - before >= 20 * WEFT_MS);
}

/* ---- deaths ---- */

static void ticker_of_no_time(void *arg)
{
    (void)arg;
    if (weft_tick(-1) || weft_tick(0))
        return;
    weft_ticker_new(0);
}

static void reset_to_no_time(void *arg)
{
    (void)arg;
    weft_ticker_reset(weft_ticker_new(WEFT_S), -1);
}

static const struct death all_deaths[] = {
    {ticker_of_no_time, "weft: non-positive interval for a ticker"},
    {reset_to_no_time, "weft: non-positive interval for a ticker"},
};

static void deaths(void **state)
{
    (void)state;
    for (int i = 0; i < (int)(sizeof all_deaths / sizeof *all_deaths); i++)
        check_death(all_deaths, i);
}

int main(int argc, char **argv)
{
    death_main(argc, argv, all_deaths);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sleep_is_not_early),
        cmocka_unit_test(no_time),
        cmocka_unit_test(very_long),
        cmocka_unit_test(functions_chain),
        cmocka_unit_test(after_is_not_early),
        cmocka_unit_test(after_in_order),
        cmocka_unit_test(stop),
        cmocka_unit_test(reset),
        cmocka_unit_test(no_stale_value),
        cmocka_unit_test(wait_across_reset),
        cmocka_unit_test(moved_earlier),
        cmocka_unit_test(moved_about),
        cmocka_unit_test(zero_timer),
        cmocka_unit_test(ticker),
        cmocka_unit_test(slow_taker),
        cmocka_unit_test(teardown),
        cmocka_unit_test(sleepers),
        cmocka_unit_test(busy_relays),
        cmocka_unit_test(deaths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
