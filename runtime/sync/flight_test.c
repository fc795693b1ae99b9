/* The flight behaves as singleflight.Group of golang.org/x/sync says; and its results' owners. */
#include <stdbool.h>

#include "runtime/test/check.h"

enum { CALLERS = 20 };

static struct {
    struct weft_flight *flight;
    struct weft_chan *gate; /* closed: the function goes on */
    struct weft_waitgroup wg;
    _Atomic int calls, shared, owners;
} g;

struct counted {
    _Atomic int refs;
    int n;
};

static void counted_retain(void *value)
{
    CHECK((*(struct counted **)value)->refs++ > 0);
}

static void counted_release(void *value)
{
    struct counted *c = *(struct counted **)value;
    if (--c->refs == 0) {
        g.owners--;
        free(c);
    }
}

static void begin(size_t size, bool counted)
{
    struct weft_flight_options o = {.value_size = size};
    if (counted) {
        o.retain = counted_retain;
        o.release = counted_release;
    }
    g.flight = weft_flight_new(&o);
    CHECK(g.flight);
    g.gate = weft_chan_new(0, 0);
    g.calls = g.shared = g.owners = 0;
}

static void finish(void)
{
    weft_flight_free(g.flight);
    weft_chan_release(g.gate);
    while (g.owners != 0) /* the task of a call may have to release it yet */
        weft_yield();
}

/* ---- one call for all ---- */

static int compute(void *arg, void *result)
{
    int *sum = result;
    CHECK(*sum == 0);
    weft_chan_recv(g.gate, NULL);
    g.calls++;
    *sum = *(int *)arg * 2;
    return 0;
}

static void ask(void *arg)
{
    int value = 0, shared = 0;
    CHECK(weft_flight_do(g.flight, "key", compute, arg, &value, &shared) == 0);
    CHECK(value == 42);
    g.shared += shared;
}

/* Until so many tasks are at rest: in the call, or at its gate. */
static void all_wait(unsigned count)
{
    struct weft_stats stats;
    while (weft_stats(&stats) == 0 && stats.tasks_waiting != count)
        weft_yield();
}

TASK_TEST(one_call_serves_all)
{
    int n = 21;
    begin(sizeof(int), false);
    for (int i = 0; i < CALLERS; i++)
        CHECK(weft_waitgroup_go(&g.wg, ask, &n) == 0);
    all_wait(CALLERS);
    weft_chan_close(g.gate);
    weft_waitgroup_wait(&g.wg);
    CHECK(g.calls == 1 && g.shared == CALLERS);
    int shared = 1;
    CHECK(weft_flight_do(g.flight, "key", compute, &n, &n, &shared) == 0 && !shared && n == 42);
    finish();
}

static int give_error(void *arg, void *result)
{
    (void)result;
    g.calls++;
    return *(int *)arg;
}

TASK_TEST(errors_and_keys)
{
    char key[16];
    int err = -EIO, value = 7;
    begin(sizeof(int), false);
    CHECK(weft_flight_do(g.flight, "key", give_error, &err, &value, NULL) == -EIO && value == 7);
    weft_chan_close(g.gate);
    for (int i = 0; i < 100; i++) {
        snprintf(key, sizeof key, "%d", i);
        CHECK(weft_flight_do(g.flight, key, compute, &i, &value, NULL) == 0 && value == 2 * i);
        CHECK(weft_flight_do(g.flight, key, compute, &i, NULL, NULL) == 0);
    }
    CHECK(g.calls == 201);
    struct weft_flight_options half = {.release = free};
    CHECK(!weft_flight_new(&half));
    weft_flight_free(NULL);
    finish();
}

/* Hundreds of keys at once: the table grows while calls are in it. */
static void ask_own(void *arg)
{
    char key[16];
    int n = *(int *)arg, value;
    snprintf(key, sizeof key, "%d", n);
    CHECK(weft_flight_do(g.flight, key, compute, &n, &value, NULL) == 0 && value == 2 * n);
    weft_waitgroup_done(&g.wg);
}

TASK_TEST(many_keys_at_once)
{
    begin(sizeof(int), false);
    weft_waitgroup_add(&g.wg, 600);
    for (int i = 0; i < 600; i++)
        CHECK(weft_go_copy(ask_own, &(int){i / 2}, sizeof i) == 0);
    all_wait(600);
    weft_chan_close(g.gate);
    weft_waitgroup_wait(&g.wg);
    CHECK(g.calls == 300);
    finish();
}

static void ask_old(void *arg)
{
    (void)arg;
    int value, n = 1;
    CHECK(weft_flight_do(g.flight, "key", compute, &n, &value, NULL) == 0 && value == 2);
}

static int at_once(void *arg, void *result)
{
    *(int *)result = *(int *)arg;
    return 0;
}

TASK_TEST(forgotten_calls_are_not_joined)
{
    int n = 5, value;
    begin(sizeof(int), false);
    CHECK(weft_waitgroup_go(&g.wg, ask_old, NULL) == 0);
    all_wait(1);
    weft_flight_forget(g.flight, "key");
    weft_flight_forget(g.flight, "other");
    CHECK(weft_flight_do(g.flight, "key", at_once, &n, &value, NULL) == 0 && value == 5);
    weft_chan_close(g.gate);
    weft_waitgroup_wait(&g.wg);
    finish();
}

/* ---- callers that leave ---- */

static int make_counted(void *arg, void *result)
{
    struct counted *c = malloc(sizeof *c);
    *c = (struct counted){1, *(int *)arg};
    g.owners++;
    weft_chan_recv(g.gate, NULL);
    g.calls++;
    *(struct counted **)result = c;
    return 0;
}

static void ask_counted(void *arg)
{
    struct counted *c = NULL;
    int n = 9;
    int r = weft_flight_do_ctx(g.flight, arg, "key", make_counted, &n, sizeof n, &c, NULL);
    CHECK(r == (arg ? -ECANCELED : 0));
    g.shared += r != 0; /* counts those who left */
    if (r == 0) {
        CHECK(c->n == 9);
        counted_release(&c);
    }
}

TASK_TEST(who_is_cancelled_leaves_alone)
{
    struct weft_ctx *ctx = weft_ctx_with_cancel(NULL);
    begin(sizeof(void *), true);
    for (int i = 0; i < CALLERS; i++) /* the first, who begins the call, is one of those */
        CHECK(weft_waitgroup_go(&g.wg, ask_counted, i % 2 ? NULL : ctx) == 0);
    all_wait(CALLERS + 1); /* with the task of the call */
    weft_ctx_cancel(ctx);
    while (g.shared < CALLERS / 2)
        weft_yield();
    weft_chan_close(g.gate);
    weft_waitgroup_wait(&g.wg);
    CHECK(g.calls == 1);
    CHECK(weft_flight_do_ctx(g.flight, ctx, "key", give_error, NULL, 0, NULL, NULL) == -ECANCELED);
    weft_ctx_release(ctx);
    finish();
}

/* All have left, and the flight is freed, before the function returns: its result has no owner. */
TASK_TEST(nobody_waits_any_more)
{
    struct weft_ctx *ctx = weft_ctx_with_cancel(NULL);
    begin(sizeof(void *), true);
    CHECK(weft_waitgroup_go(&g.wg, ask_counted, ctx) == 0);
    all_wait(2); /* the caller, and the task of the call */
    weft_ctx_cancel(ctx);
    weft_waitgroup_wait(&g.wg);
    weft_flight_free(g.flight);
    g.flight = NULL;
    weft_chan_close(g.gate);
    while (g.owners != 0)
        weft_yield();
    weft_ctx_release(ctx);
    finish();
}

/* ---- functions that end their task ---- */

static int leave_early(void *arg, void *result)
{
    (void)arg;
    (void)result;
    weft_chan_recv(g.gate, NULL);
    weft_exit();
}

static void ask_and_end(void *arg)
{
    int r = weft_flight_do(g.flight, "key", leave_early, arg, NULL, NULL);
    CHECK(r == -ECANCELED);
    g.shared++;
}

TASK_TEST(an_exit_cancels_the_call)
{
    begin(0, false);
    for (int i = 0; i < 2; i++)
        CHECK(weft_go(ask_and_end, NULL) == 0);
    all_wait(2);
    weft_chan_close(g.gate);
    while (g.shared < 1)
        weft_yield();
    CHECK(weft_flight_do_ctx(g.flight, NULL, "k", leave_early, NULL, 0, NULL, NULL) == -ECANCELED);
    finish();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_call_serves_all),
        cmocka_unit_test(errors_and_keys),
        cmocka_unit_test(many_keys_at_once),
        cmocka_unit_test(forgotten_calls_are_not_joined),
        cmocka_unit_test(who_is_cancelled_leaves_alone),
        cmocka_unit_test(nobody_waits_any_more),
        cmocka_unit_test(an_exit_cancels_the_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
