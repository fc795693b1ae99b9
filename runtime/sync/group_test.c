/* The group behaves as errgroup.Group of golang.org/x/sync says. */
#include <pthread.h>
#include <stdatomic.h>

#include "runtime/test/check.h"

enum { TASKS = 50, LIMIT = 3 };

static struct {
    struct weft_group *group;
    _Atomic int inside, most, ran, order;
    struct weft_chan *gate;
} g;

static int run_inside(void *arg)
{
    (void)arg;
    int now = ++g.inside, most = g.most;
    while (now > most && !atomic_compare_exchange_weak(&g.most, &most, now)) {
    }
    weft_yield();
    g.ran++;
    g.inside--;
    return 0;
}

TASK_TEST(never_more_than_the_limit)
{
    struct weft_group group = {0};
    g.most = g.ran = 0;
    weft_group_set_limit(&group, LIMIT);
    for (int i = 0; i < TASKS; i++)
        CHECK(weft_group_go(&group, run_inside, NULL) == 0);
    CHECK(weft_group_wait(&group) == 0);
    CHECK(g.ran == TASKS && g.most <= LIMIT && g.inside == 0);
    weft_group_set_limit(&group, -1);
    for (int i = 0; i < TASKS; i++)
        CHECK(weft_group_try_go(&group, run_inside, NULL) == 0);
    CHECK(weft_group_wait(&group) == 0 && g.ran == 2 * TASKS);
}

static int wait_at_gate(void *arg)
{
    (void)arg;
    weft_chan_recv(g.gate, NULL);
    return 0;
}

TASK_TEST(try_go_does_not_wait)
{
    struct weft_group group = {0};
    g.gate = weft_chan_new(0, 0);
    CHECK(weft_group_try_go(&group, run_inside, NULL) == 0 && weft_group_wait(&group) == 0);
    weft_group_set_limit(&group, 1);
    CHECK(weft_group_try_go(&group, wait_at_gate, NULL) == 0);
    CHECK(weft_group_try_go(&group, wait_at_gate, NULL) == -EBUSY);
    weft_chan_close(g.gate);
    CHECK(weft_group_wait(&group) == 0);
    CHECK(weft_group_try_go(&group, wait_at_gate, NULL) == 0);
    CHECK(weft_group_wait(&group) == 0);
    weft_group_set_limit(&group, 0);
    CHECK(weft_group_try_go(&group, run_inside, NULL) == -EBUSY);
    CHECK(weft_group_wait(&group) == 0);
    weft_chan_release(g.gate);
}

static int fail_second(void *arg)
{
    weft_chan_recv(g.gate, NULL);
    return *(int *)arg;
}

static int fail_first(void *arg)
{
    weft_chan_close(g.gate);
    return *(int *)arg;
}

static int until_cancelled(void *arg)
{
    weft_chan_recv(weft_ctx_done(arg), NULL);
    g.ran++;
    return weft_ctx_err(arg);
}

TASK_TEST(the_first_error_cancels_the_rest)
{
    struct weft_group group = {0};
    int io = -EIO;
    struct weft_ctx *ctx = weft_group_with_ctx(&group, NULL);
    g.ran = 0;
    for (int i = 0; i < 5; i++)
        CHECK(weft_group_go(&group, until_cancelled, ctx) == 0);
    weft_yield();
    CHECK(weft_ctx_err(ctx) == 0 && g.ran == 0);
    g.gate = weft_chan_new(0, 0);
    CHECK(weft_group_go_copy(&group, fail_first, &io, sizeof io) == 0);
    CHECK(weft_group_wait(&group) == -EIO);
    CHECK(g.ran == 5 && weft_ctx_err(ctx) == -ECANCELED && weft_ctx_cause(ctx) == -EIO);
    weft_ctx_release(ctx);
    weft_chan_release(g.gate);
}

TASK_TEST(later_errors_are_dropped)
{
    struct weft_group group = {0};
    int io = -EIO, pipe = -EPIPE;
    g.gate = weft_chan_new(0, 0);
    CHECK(weft_group_go_copy(&group, fail_second, &pipe, sizeof pipe) == 0);
    CHECK(weft_group_wait(&(struct weft_group){0}) == 0);
    struct weft_group other = {0};
    CHECK(weft_group_go_copy(&other, fail_first, &io, sizeof io) == 0);
    CHECK(weft_group_wait(&other) == -EIO && weft_group_wait(&other) == -EIO);
    CHECK(weft_group_go_copy(&other, fail_second, &pipe, sizeof pipe) == 0);
    CHECK(weft_group_wait(&other) == -EIO);
    CHECK(weft_group_wait(&group) == -EPIPE);
    weft_chan_release(g.gate);
}

TASK_TEST(wait_ends_the_context)
{
    struct weft_group group = {0};
    struct weft_ctx *ctx = weft_group_with_ctx(&group, NULL);
    CHECK(weft_group_go(&group, run_inside, NULL) == 0);
    CHECK(weft_group_wait(&group) == 0 && weft_ctx_err(ctx) == -ECANCELED);
    weft_ctx_release(ctx);
}

/* ---- captures, early ends, plain threads ---- */

struct large {
    int n;
    unsigned char bytes[1000];
};

static int check_large(void *arg)
{
    struct large *l = arg;
    weft_yield();
    for (size_t i = 0; i < sizeof l->bytes; i++)
        CHECK(l->bytes[i] == (unsigned char)(l->n + (int)i));
    g.ran++;
    return 0;
}

static int check_small(void *arg)
{
    weft_yield();
    g.ran += *(int *)arg;
    return 0;
}

TASK_TEST(captures_are_copied)
{
    struct weft_group group = {0};
    g.ran = 0;
    for (int n = 0; n < TASKS; n++) {
        struct large l = {.n = n};
        for (size_t i = 0; i < sizeof l.bytes; i++)
            l.bytes[i] = (unsigned char)(n + (int)i);
        CHECK(weft_group_go_copy(&group, check_large, &l, sizeof l) == 0);
        CHECK(weft_group_go_copy(&group, check_small, &(int){1000}, sizeof(int)) == 0);
        CHECK(weft_group_go_copy(&group, run_inside, NULL, 0) == 0);
    }
    CHECK(weft_group_wait(&group) == 0 && g.ran == TASKS * 1002);
}

static int leave_early(void *arg)
{
    (void)arg;
    weft_exit();
}

TASK_TEST(a_member_may_exit)
{
    struct weft_group group = {0};
    weft_group_set_limit(&group, LIMIT);
    for (int i = 0; i < TASKS; i++)
        CHECK(weft_group_go(&group, leave_early, NULL) == 0);
    CHECK(weft_group_wait(&group) == 0);
}

static void *by_thread(void *arg)
{
    for (int i = 0; i < TASKS; i++)
        CHECK(weft_group_go(arg, run_inside, NULL) == 0);
    CHECK(weft_group_wait(arg) == 0);
    return NULL;
}

static void join(void *thread)
{
    CHECK(pthread_join(*(pthread_t *)thread, NULL) == 0);
}

TASK_TEST(a_plain_thread_may_wait)
{
    struct weft_group group = {0};
    pthread_t thread;
    g.most = g.ran = 0;
    weft_group_set_limit(&group, LIMIT);
    CHECK(pthread_create(&thread, NULL, by_thread, &group) == 0);
    CHECK(weft_blocking(join, &thread) == 0);
    CHECK(g.ran == TASKS && g.most <= LIMIT);
}

static void no_run(void **state)
{
    (void)state;
    struct weft_group group = {0};
    CHECK(weft_group_go(&group, run_inside, NULL) == -ESRCH);
    CHECK(weft_group_wait(&group) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(never_more_than_the_limit),
        cmocka_unit_test(try_go_does_not_wait),
        cmocka_unit_test(the_first_error_cancels_the_rest),
        cmocka_unit_test(later_errors_are_dropped),
        cmocka_unit_test(wait_ends_the_context),
        cmocka_unit_test(captures_are_copied),
        cmocka_unit_test(a_member_may_exit),
        cmocka_unit_test(a_plain_thread_may_wait),
        cmocka_unit_test(no_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
