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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(background_is_never_cancelled),
        cmocka_unit_test(cancel_reaches_all_below),
        cmocka_unit_test(deadline_cancels),
        cmocka_unit_test(races),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
