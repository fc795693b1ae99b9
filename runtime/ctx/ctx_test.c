/* Contexts behave as Go's package context says. */
#include "runtime/test/check.h"

TASK_TEST(background_is_never_cancelled)
{
    struct weft_ctx *bg = weft_ctx_background();
    int64_t ns;
    CHECK(weft_ctx_done(bg) == NULL && weft_ctx_err(bg) == 0);
    CHECK(weft_ctx_deadline(bg, &ns) == 0);
    weft_ctx_cancel(bg);
    weft_ctx_release(weft_ctx_retain(bg));
    CHECK(weft_ctx_err(bg) == 0);
}

TASK_TEST(cancel_reaches_all_below)
{
    struct weft_ctx *top = weft_ctx_with_cancel(NULL);
    struct weft_ctx *mid = weft_ctx_with_cancel(top);
    struct weft_ctx *low = weft_ctx_with_timeout(mid, WEFT_S * 3600);
    struct weft_ctx *other = weft_ctx_with_cancel(top);
    weft_ctx_cancel(mid);
    weft_ctx_cancel(mid);
    CHECK(weft_ctx_err(top) == 0 && weft_ctx_err(other) == 0);
    CHECK(weft_ctx_err(mid) == -ECANCELED && weft_ctx_err(low) == -ECANCELED);
    CHECK(weft_chan_try_recv(weft_ctx_done(low), NULL) == -EPIPE);
    CHECK(weft_chan_try_recv(weft_ctx_done(top), NULL) == -EAGAIN);
    struct weft_ctx *late = weft_ctx_with_cancel(mid);
    CHECK(weft_ctx_err(late) == -ECANCELED);
    weft_ctx_release(mid); /* before its children */
    weft_ctx_release(low);
    weft_ctx_release(late);
    weft_ctx_cancel(top);
    CHECK(weft_ctx_err(other) == -ECANCELED);
    weft_ctx_release(other);
    weft_ctx_release(top);
}

TASK_TEST(deadline_cancels)
{
    int64_t before = weft_now(), ns;
    struct weft_ctx *ctx = weft_ctx_with_timeout(NULL, 2 * WEFT_MS);
    struct weft_ctx *child = weft_ctx_with_deadline(ctx, before + WEFT_S * 3600);
    CHECK(weft_ctx_deadline(child, &ns) == 1 && ns <= weft_now() + 2 * WEFT_MS);
    CHECK(weft_chan_recv(weft_ctx_done(child), NULL) == -EPIPE);
    CHECK(weft_now() - before >= 2 * WEFT_MS);
    CHECK(weft_ctx_err(ctx) == -ETIMEDOUT && weft_ctx_err(child) == -ETIMEDOUT);
    weft_ctx_cancel(ctx);
    CHECK(weft_ctx_err(ctx) == -ETIMEDOUT);
    weft_ctx_release(child);
    weft_ctx_release(ctx);
    ctx = weft_ctx_with_deadline(NULL, weft_now() - 1);
    CHECK(weft_ctx_err(ctx) == -ETIMEDOUT);
    weft_ctx_release(ctx);
}

static void work(void *arg)
{
    struct weft_ctx *ctx = arg;
    struct weft_case cases[] = {WEFT_RECV(weft_ctx_done(ctx), NULL), WEFT_RECV(NULL, NULL)};
    CHECK(weft_select(cases, 2, WEFT_FOREVER) == 0);
    weft_ctx_release(ctx);
}

/* Cancels, timeouts and releases at once, from several tasks. */
TASK_TEST(races)
{
    for (int i = 0; i < 100; i++) {
        struct weft_waitgroup wg = {0};
        struct weft_ctx *top = weft_ctx_with_cancel(NULL);
        for (int k = 0; k < 10; k++) {
            struct weft_ctx *ctx = k % 2 ? weft_ctx_with_timeout(top, (i % 5) * 100 * WEFT_US)
                                         : weft_ctx_with_cancel(top);
            weft_waitgroup_go(&wg, work, ctx);
        }
        weft_yield();
        weft_ctx_cancel(top);
        weft_waitgroup_wait(&wg);
        weft_ctx_release(top);
    }
}

static const char red, blue;

TASK_TEST(values_are_found_upwards)
{
    int one = 1, two = 2, three = 3;
    struct weft_ctx *a = weft_ctx_with_value(NULL, &red, &one);
    struct weft_ctx *b = weft_ctx_with_cancel(a);
    struct weft_ctx *c = weft_ctx_with_value(b, &blue, &two);
    struct weft_ctx *d = weft_ctx_with_value(c, &red, &three);
    CHECK(weft_ctx_value(a, &red) == &one && weft_ctx_value(a, &blue) == NULL);
    CHECK(weft_ctx_value(b, &red) == &one && weft_ctx_value(c, &red) == &one);
    CHECK(weft_ctx_value(d, &red) == &three && weft_ctx_value(d, &blue) == &two);
    CHECK(weft_ctx_value(weft_ctx_background(), &red) == NULL && weft_ctx_value(d, NULL) == NULL);
    CHECK(weft_ctx_done(a) == NULL && weft_ctx_done(d) == weft_ctx_done(b));
    weft_ctx_release(a);
    weft_ctx_release(b);
    weft_ctx_release(c);
    CHECK(weft_ctx_value(d, &red) == &three); /* what is above lives on */
    CHECK(weft_ctx_value(d, &blue) == &two);
    weft_ctx_release(d);
}

/* A context with a value between two others does not keep a cancel or a deadline from passing. */
TASK_TEST(values_pass_cancels_on)
{
    int one = 1;
    int64_t ns, other;
    struct weft_ctx *top = weft_ctx_with_timeout(NULL, WEFT_S * 3600);
    struct weft_ctx *mid = weft_ctx_with_value(top, &red, &one);
    struct weft_ctx *low = weft_ctx_with_cancel(mid);
    CHECK(weft_ctx_deadline(top, &ns) == 1 && weft_ctx_deadline(mid, &other) == 1 && ns == other);
    CHECK(weft_ctx_deadline(low, &other) == 1 && ns == other);
    weft_ctx_cancel(top);
    CHECK(weft_ctx_err(mid) == -ECANCELED && weft_ctx_err(low) == -ECANCELED);
    CHECK(weft_chan_recv(weft_ctx_done(low), NULL) == -EPIPE);
    struct weft_ctx *late = weft_ctx_with_cancel(mid);
    CHECK(weft_ctx_err(late) == -ECANCELED && weft_ctx_value(late, &red) == &one);
    weft_ctx_release(late);
    weft_ctx_release(top);
    weft_ctx_release(mid);
    weft_ctx_release(low);
}

TASK_TEST(causes)
{
    struct weft_ctx *top = weft_ctx_with_cancel(NULL);
    struct weft_ctx *low = weft_ctx_with_cancel(top);
    int key = 0;
    struct weft_ctx *view = weft_ctx_with_value(low, &key, &key);
    CHECK(weft_ctx_cause(top) == 0 && weft_ctx_cause(view) == 0);
    weft_ctx_cancel_cause(top, -EPROTO);
    weft_ctx_cancel_cause(top, -EIO);
    CHECK(weft_ctx_err(view) == -ECANCELED && weft_ctx_cause(view) == -EPROTO);
    CHECK(weft_ctx_cause(low) == -EPROTO && weft_ctx_cause(top) == -EPROTO);
    struct weft_ctx *late = weft_ctx_with_timeout(top, WEFT_S);
    CHECK(weft_ctx_err(late) == -ECANCELED && weft_ctx_cause(late) == -EPROTO);
    weft_ctx_release(late);
    weft_ctx_release(view);
    weft_ctx_release(low);
    weft_ctx_release(top);
    top = weft_ctx_with_cancel(NULL);
    weft_ctx_cancel_cause(top, 0);
    CHECK(weft_ctx_cause(top) == -ECANCELED);
    weft_ctx_release(top);
    CHECK(weft_ctx_cause(weft_ctx_background()) == 0 && weft_ctx_cause(NULL) == 0);
}

TASK_TEST(causes_of_deadlines)
{
    struct weft_ctx *soon = weft_ctx_with_timeout_cause(NULL, WEFT_MS, -ESTALE);
    struct weft_ctx *plain = weft_ctx_with_timeout(NULL, WEFT_MS);
    struct weft_ctx *past = weft_ctx_with_deadline_cause(NULL, weft_now(), -ETIME);
    struct weft_ctx *held = weft_ctx_with_timeout_cause(NULL, WEFT_S * 3600, -ESTALE);
    CHECK(weft_chan_recv(weft_ctx_done(soon), NULL) == -EPIPE);
    CHECK(weft_chan_recv(weft_ctx_done(plain), NULL) == -EPIPE);
    CHECK(weft_ctx_err(soon) == -ETIMEDOUT && weft_ctx_cause(soon) == -ESTALE);
    CHECK(weft_ctx_err(plain) == -ETIMEDOUT && weft_ctx_cause(plain) == -ETIMEDOUT);
    CHECK(weft_ctx_err(past) == -ETIMEDOUT && weft_ctx_cause(past) == -ETIME);
    weft_ctx_cancel(held);
    CHECK(weft_ctx_err(held) == -ECANCELED && weft_ctx_cause(held) == -ECANCELED);
    weft_ctx_release(soon);
    weft_ctx_release(plain);
    weft_ctx_release(past);
    weft_ctx_release(held);
}

static void close_it(void *chan)
{
    weft_chan_close(chan);
}

TASK_TEST(functions_after_a_cancel)
{
    struct weft_chan *ran = weft_chan_new(0, 0), *at_once = weft_chan_new(0, 0);
    struct weft_chan *never = weft_chan_new(0, 0);
    struct weft_ctx *top = weft_ctx_with_cancel(NULL);
    struct weft_ctx *low = weft_ctx_with_cancel(top);
    struct weft_ctx_func *f = weft_ctx_after_func(low, close_it, ran);
    struct weft_ctx_func *stopped = weft_ctx_after_func(low, close_it, never);
    struct weft_ctx_func *idle = weft_ctx_after_func(weft_ctx_background(), close_it, never);
    CHECK(weft_ctx_func_stop(stopped) == 1);
    CHECK(weft_chan_try_recv(ran, NULL) == -EAGAIN);
    weft_ctx_cancel(top);
    CHECK(weft_chan_recv(ran, NULL) == -EPIPE);
    CHECK(weft_ctx_func_stop(f) == 0);
    f = weft_ctx_after_func(low, close_it, at_once);
    weft_ctx_release(low); /* which it keeps */
    CHECK(weft_chan_recv(at_once, NULL) == -EPIPE);
    CHECK(weft_ctx_func_stop(f) == 0 && weft_ctx_func_stop(idle) == 1);
    CHECK(weft_chan_try_recv(never, NULL) == -EAGAIN);
    weft_ctx_release(top);
    weft_chan_release(ran);
    weft_chan_release(at_once);
    weft_chan_release(never);
}

TASK_TEST(without_cancel)
{
    int key = 0, value = 7;
    int64_t ns;
    struct weft_ctx *top = weft_ctx_with_timeout(NULL, WEFT_S * 3600);
    struct weft_ctx *with = weft_ctx_with_value(top, &key, &value);
    struct weft_ctx *free_of = weft_ctx_without_cancel(with);
    struct weft_ctx *below = weft_ctx_with_cancel(free_of);
    weft_ctx_cancel(top);
    CHECK(weft_ctx_err(with) == -ECANCELED && weft_ctx_err(free_of) == 0);
    CHECK(weft_ctx_err(below) == 0 && weft_ctx_done(free_of) == NULL);
    CHECK(weft_ctx_deadline(free_of, &ns) == 0 && weft_ctx_deadline(below, &ns) == 0);
    CHECK(weft_ctx_value(below, &key) == &value);
    weft_ctx_cancel(below);
    CHECK(weft_ctx_err(below) == -ECANCELED && weft_ctx_err(free_of) == 0);
    weft_ctx_release(below);
    weft_ctx_release(free_of);
    weft_ctx_release(with);
    weft_ctx_release(top);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(background_is_never_cancelled),
        cmocka_unit_test(cancel_reaches_all_below),
        cmocka_unit_test(deadline_cancels),
        cmocka_unit_test(races),
        cmocka_unit_test(values_are_found_upwards),
        cmocka_unit_test(values_pass_cancels_on),
        cmocka_unit_test(causes),
        cmocka_unit_test(causes_of_deadlines),
        cmocka_unit_test(functions_after_a_cancel),
        cmocka_unit_test(without_cancel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
