/*
 * What runs or ends later: functions of timers and of contexts, and why a context was cancelled.
 * What the documentation of Go's time and context packages promises; each in a test of our own.
 *
 *   a timer's function runs in a task of its own: stop does not wait for
 *   it, and says that it came too late                                     stop_beside_function
 *   reset lets it run again, whether it has run, runs, or has not yet      reset_runs_again
 *   a function may stop and reset its own timer                            function_sets_itself
 *   a context's function runs once, after its context has ended, also by
 *   its parent or by time; a cancel does not wait for it                   after_each_end
 *   several for one context are independent; a stopped one does not run,
 *   and stop does not wait for one that runs                               stops_of_functions
 *   it breaks a wait for a condition, and joins two contexts               breaks_a_wait, joined
 *   the first cause stays, and those below have it; what was cancelled
 *   before keeps its own                                                   causes
 *   a deadline's cause is told only if that deadline is what ended it      causes_of_deadlines
 *   without cancel: no end, no deadline, no cause, but values; below it
 *   contexts end as below the background                                   without_cancel
 */
#include <stdbool.h>

#include "runtime/test/check.h"

/* ---- timers ---- */

struct function {
    _Atomic int begun, ended;
    struct weft_chan *go_on; /* NULL: it need not wait */
    struct weft_timer *timer;
};

static void run_function(void *arg)
{
    struct function *f = arg;
    f->begun++;
    if (f->go_on)
        CHECK(weft_chan_recv(f->go_on, NULL) == 0);
    f->ended++;
}

static void await_begun(const struct function *f, int count)
{
    while (f->begun < count)
        weft_yield();
}

TASK_TEST(stop_beside_function)
{
    struct function f = {.go_on = weft_chan_new(0, 0)};
    struct weft_timer *t = weft_timer_func(0, run_function, &f);
    await_begun(&f, 1);
    CHECK(weft_timer_stop(t) == 0 && f.ended == 0);
    CHECK(weft_chan_send(f.go_on, NULL) == 0);
    await_ends();
    CHECK(weft_timer_stop(t) == 0 && f.begun == 1 && f.ended == 1);
    weft_timer_free(t);
    weft_chan_release(f.go_on);
}

TASK_TEST(reset_runs_again)
{
    struct function f = {.go_on = weft_chan_new(0, 0)};
    struct weft_timer *t = weft_timer_func(3600 * WEFT_S, run_function, &f);
    CHECK(weft_timer_reset(t, 3600 * WEFT_S) == 1);
    CHECK(weft_timer_reset(t, 0) == 1);
    await_begun(&f, 1);
    CHECK(weft_timer_reset(t, 0) == 0); /* beside the one that runs still */
    await_begun(&f, 2);
    CHECK(f.ended == 0);
    CHECK(weft_chan_send(f.go_on, NULL) == 0 && weft_chan_send(f.go_on, NULL) == 0);
    await_ends();
    CHECK(weft_timer_reset(t, 0) == 0);
    CHECK(weft_chan_send(f.go_on, NULL) == 0);
    await_ends();
    CHECK(weft_timer_reset(t, 3600 * WEFT_S) == 0 && weft_timer_stop(t) == 1);
    CHECK(f.begun == 3 && f.ended == 3);
    weft_timer_free(t);
    weft_chan_release(f.go_on);
}

enum { TIMES = 5 };

static void set_itself(void *arg)
{
    struct function *f = arg;
    CHECK(weft_timer_stop(f->timer) == 0);
    if (++f->begun < TIMES)
        CHECK(weft_timer_reset(f->timer, 10 * WEFT_US) == 0);
}

TASK_TEST(function_sets_itself)
{
    struct function f = {.timer = weft_timer_func(3600 * WEFT_S, set_itself, &f)};
    CHECK(weft_timer_reset(f.timer, 0) == 1);
    await_begun(&f, TIMES);
    await_ends();
    CHECK(f.begun == TIMES);
    weft_timer_free(f.timer);
}

/* ---- functions of contexts ---- */

enum end { BY_CANCEL, BY_PARENT, BY_TIME, BY_EARLIER, ENDS };

struct watched {
    struct function f;
    struct weft_ctx *ctx;
};

static void run_watched(void *arg)
{
    struct watched *w = arg;
    CHECK(weft_ctx_err(w->ctx) != 0);
    run_function(&w->f);
}

static void after_one_end(enum end end)
{
    struct watched w = {.f.go_on = weft_chan_new(0, 0)};
    struct weft_ctx *parent = weft_ctx_with_cancel(NULL);
    w.ctx = end == BY_TIME ? weft_ctx_with_timeout(parent, WEFT_MS) : weft_ctx_with_cancel(parent);
    if (end == BY_EARLIER)
        weft_ctx_cancel(w.ctx);
    struct weft_ctx_func *func = weft_ctx_after_func(w.ctx, run_watched, &w);
    CHECK(end == BY_EARLIER || end == BY_TIME || w.f.begun == 0);
    if (end == BY_CANCEL)
        weft_ctx_cancel(w.ctx);
    else if (end == BY_PARENT)
        weft_ctx_cancel(parent);
    CHECK(w.f.ended == 0);
    await_begun(&w.f, 1);
    weft_ctx_cancel(w.ctx); /* once more is nothing more */
    CHECK(weft_chan_send(w.f.go_on, NULL) == 0);
    await_ends();
    CHECK(weft_ctx_func_stop(func) == 0 && w.f.begun == 1 && w.f.ended == 1);
    weft_ctx_release(w.ctx);
    weft_ctx_release(parent);
    weft_chan_release(w.f.go_on);
}

TASK_TEST(after_each_end)
{
    for (enum end end = BY_CANCEL; end < ENDS; end++)
        after_one_end(end);
}

TASK_TEST(stops_of_functions)
{
    struct function f[3] = {{.go_on = weft_chan_new(0, 0)}};
    struct weft_ctx_func *func[3];
    struct weft_ctx *ctx = weft_ctx_with_cancel(NULL);
    for (int i = 0; i < 3; i++)
        CHECK((func[i] = weft_ctx_after_func(ctx, run_function, &f[i])) != NULL);
    CHECK(weft_ctx_func_stop(func[1]) == 1);
    weft_ctx_cancel(ctx);
    await_begun(&f[0], 1);
    await_begun(&f[2], 1);
    CHECK(weft_ctx_func_stop(func[0]) == 0 && f[0].ended == 0); /* which still runs */
    CHECK(weft_chan_send(f[0].go_on, NULL) == 0);
    await_ends();
    CHECK(weft_ctx_func_stop(func[2]) == 0);
    CHECK(f[0].ended == 1 && f[1].begun == 0 && f[2].ended == 1);
    weft_ctx_release(ctx);
    weft_chan_release(f[0].go_on);
}

static struct {
    struct weft_mutex mutex;
    struct weft_cond cond;
} b;

static void wake_who_waits(void *arg)
{
    (void)arg;
    weft_mutex_lock(&b.mutex);
    weft_cond_broadcast(&b.cond);
    weft_mutex_unlock(&b.mutex);
}

/* For what never comes true. */
static void wait_with_limit(void *arg)
{
    struct weft_ctx *ctx = arg;
    struct weft_ctx_func *func = weft_ctx_after_func(ctx, wake_who_waits, NULL);
    weft_mutex_lock(&b.mutex);
    while (weft_ctx_err(ctx) == 0)
        weft_cond_wait(&b.cond, &b.mutex);
    weft_mutex_unlock(&b.mutex);
    CHECK(weft_ctx_func_stop(func) == 0);
}

TASK_TEST(breaks_a_wait)
{
    enum { WAITERS = 4 };
    struct weft_waitgroup wg = {0};
    struct weft_ctx *ctx[WAITERS];
    for (int i = 0; i < WAITERS; i++) {
        ctx[i] = weft_ctx_with_timeout(NULL, i * WEFT_MS);
        CHECK(weft_waitgroup_go(&wg, wait_with_limit, ctx[i]) == 0);
    }
    weft_waitgroup_wait(&wg);
    for (int i = 0; i < WAITERS; i++) {
        CHECK(weft_ctx_err(ctx[i]) == -ETIMEDOUT);
        weft_ctx_release(ctx[i]);
    }
    await_ends();
}

struct joint {
    struct weft_ctx *both, *second;
};

static void pass_on(void *arg)
{
    struct joint *j = arg;
    weft_ctx_cancel_cause(j->both, weft_ctx_cause(j->second));
}

/* A context that ends with either of two. */
TASK_TEST(joined)
{
    for (int which = 0; which < 2; which++) {
        struct weft_ctx *first = weft_ctx_with_cancel(NULL), *second = weft_ctx_with_cancel(NULL);
        struct joint j = {weft_ctx_with_cancel(first), second};
        struct weft_ctx_func *func = weft_ctx_after_func(second, pass_on, &j);
        weft_ctx_cancel_cause(which == 0 ? first : second, -EPROTO);
        CHECK(weft_chan_recv(weft_ctx_done(j.both), NULL) == -EPIPE);
        CHECK(weft_ctx_err(j.both) == -ECANCELED && weft_ctx_cause(j.both) == -EPROTO);
        CHECK(weft_ctx_func_stop(func) == (which == 0));
        await_ends();
        weft_ctx_release(j.both);
        weft_ctx_release(first);
        weft_ctx_release(second);
    }
}

/* ---- causes ---- */

enum { NOT = 1 }; /* it is not cancelled */

TASK_TEST(causes)
{
    static const struct {
        int child_before, parent, child_after, expect_parent, expect_child;
    } cases[] = {
        {NOT, NOT, NOT, 0, 0},
        {NOT, -EIO, NOT, -EIO, -EIO},
        {NOT, 0, NOT, -ECANCELED, -ECANCELED},
        {-EPROTO, NOT, NOT, 0, -EPROTO},
        {-EPROTO, -EIO, NOT, -EIO, -EPROTO},
        {NOT, -EIO, -EPROTO, -EIO, -EIO},
        {0, -EIO, -EPROTO, -EIO, -ECANCELED},
        {-EPROTO, 0, -EIO, -ECANCELED, -EPROTO},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct weft_ctx *parent = weft_ctx_with_cancel(NULL);
        struct weft_ctx *child = weft_ctx_with_cancel(parent);
        int key, grand;
        struct weft_ctx *view = weft_ctx_with_value(child, &key, &grand);
        struct weft_ctx *below = weft_ctx_with_timeout(view, 3600 * WEFT_S);
        if (cases[i].child_before != NOT)
            weft_ctx_cancel_cause(child, cases[i].child_before);
        if (cases[i].parent != NOT)
            weft_ctx_cancel_cause(parent, cases[i].parent);
        if (cases[i].child_after != NOT)
            weft_ctx_cancel_cause(child, cases[i].child_after);
        grand = cases[i].expect_child;
        CHECK(weft_ctx_cause(parent) == cases[i].expect_parent);
        CHECK(weft_ctx_cause(child) == grand && weft_ctx_cause(view) == grand);
        CHECK(weft_ctx_cause(below) == grand);
        CHECK(weft_ctx_err(below) == (grand == 0 ? 0 : -ECANCELED));
        struct weft_ctx *late = weft_ctx_with_cancel(view);
        CHECK(weft_ctx_cause(late) == grand && weft_ctx_err(late) == weft_ctx_err(below));
        weft_ctx_release(late);
        weft_ctx_release(below);
        weft_ctx_release(view);
        weft_ctx_release(child);
        weft_ctx_release(parent);
    }
}

TASK_TEST(causes_of_deadlines)
{
    struct weft_ctx *far = weft_ctx_with_timeout_cause(NULL, 3600 * WEFT_S, -ESTALE);
    struct weft_ctx *soon = weft_ctx_with_timeout_cause(far, WEFT_MS, -EXDEV);
    struct weft_ctx *cancelled = weft_ctx_with_timeout_cause(far, 3600 * WEFT_S, -EXDEV);
    /* The parent's comes first: the child ends by that, and its own cause is not told. */
    struct weft_ctx *later = weft_ctx_with_timeout_cause(soon, 1800 * WEFT_S, -EPROTO);
    weft_ctx_cancel_cause(cancelled, -EIO);
    CHECK(weft_chan_recv(weft_ctx_done(later), NULL) == -EPIPE);
    CHECK(weft_ctx_err(later) == -ETIMEDOUT && weft_ctx_cause(later) == -EXDEV);
    CHECK(weft_ctx_err(soon) == -ETIMEDOUT && weft_ctx_cause(soon) == -EXDEV);
    CHECK(weft_ctx_err(cancelled) == -ECANCELED && weft_ctx_cause(cancelled) == -EIO);
    CHECK(weft_ctx_err(far) == 0 && weft_ctx_cause(far) == 0);
    weft_ctx_release(later);
    weft_ctx_release(cancelled);
    weft_ctx_release(soon);
    weft_ctx_release(far);
}

TASK_TEST(without_cancel)
{
    int key, value, never = 0;
    int64_t deadline;
    struct weft_ctx *top = weft_ctx_with_timeout(NULL, 3600 * WEFT_S);
    struct weft_ctx *valued = weft_ctx_with_value(top, &key, &value);
    struct weft_ctx *apart = weft_ctx_without_cancel(valued);
    struct function f = {.begun = 0};
    struct weft_ctx_func *func = weft_ctx_after_func(apart, run_function, &f);
    struct weft_ctx *below = weft_ctx_with_cancel(apart);
    struct weft_ctx *timed = weft_ctx_with_timeout_cause(below, WEFT_MS, -ESTALE);
    weft_ctx_cancel_cause(top, -EIO);
    CHECK(weft_ctx_err(valued) == -ECANCELED && weft_ctx_err(apart) == 0);
    CHECK(weft_ctx_cause(apart) == 0 && weft_ctx_cause(below) == 0);
    CHECK(weft_ctx_deadline(apart, &deadline) == 0 && weft_ctx_done(apart) == NULL);
    CHECK(weft_ctx_value(below, &key) == &value && weft_ctx_value(below, &never) == NULL);
    CHECK(weft_chan_recv(weft_ctx_done(timed), NULL) == -EPIPE);
    CHECK(weft_ctx_cause(timed) == -ESTALE && weft_ctx_err(below) == 0);
    weft_ctx_cancel_cause(below, -EPROTO);
    CHECK(weft_ctx_cause(below) == -EPROTO && weft_ctx_err(apart) == 0);
    CHECK(weft_ctx_func_stop(func) == 1 && f.begun == 0);
    weft_ctx_release(timed);
    weft_ctx_release(below);
    weft_ctx_release(apart);
    weft_ctx_release(valued);
    weft_ctx_release(top);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stop_beside_function),
        cmocka_unit_test(reset_runs_again),
        cmocka_unit_test(function_sets_itself),
        cmocka_unit_test(after_each_end),
        cmocka_unit_test(stops_of_functions),
        cmocka_unit_test(breaks_a_wait),
        cmocka_unit_test(joined),
        cmocka_unit_test(causes),
        cmocka_unit_test(causes_of_deadlines),
        cmocka_unit_test(without_cancel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
