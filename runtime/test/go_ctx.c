/*
 * What Go promises of contexts (package context and its context_test), each in a test of our own.
 *
 *   the background is never done and has no deadline                  background
 *   cancel reaches the context and those below before it returns      cancel_is_seen_at_once
 *   a parent ends its children: cancel, value, deadline               parent_ends_children
 *   a child's end is not its parent's                                 child_ends_first
 *   deadlines and timeouts pass, also those in the past and above     deadlines
 *   cancelling before the time has come: canceled, not timed out      cancelled_before_its_time
 *   the earliest deadline holds                                       earliest_deadline
 *   the nearest value of a key is found; another key is not           values
 *   many cancels of a whole tree at once all return                   cancels_at_once
 *   a child may be cancelled by who waits for its parent              interlocked
 *   contexts of all kinds on top of each other                        layers
 *   a child of a cancelled parent is cancelled from the start         cancelled_parent
 *   a cancelled child is dropped by its parent                        children_are_dropped
 *   waits for several contexts and channels end with the first        in_a_select
 *   a nil key, and a cancel of a context with a value, are misuse     deaths
 */
#include <malloc.h>
#include <stdbool.h>

#include "runtime/test/death.h"

#define LONG_NS (3600 * WEFT_S)

static bool is_done(struct weft_ctx *ctx)
{
    return weft_chan_try_recv(weft_ctx_done(ctx), NULL) == -EPIPE;
}

static void expect(struct weft_ctx *ctx, int err)
{
    CHECK(is_done(ctx) == (err != 0) && weft_ctx_err(ctx) == err);
}

TASK_TEST(background)
{
    struct weft_ctx *b = weft_ctx_background();
    int64_t when;
    CHECK(b && !weft_ctx_done(b) && weft_ctx_err(b) == 0 && !weft_ctx_deadline(b, &when));
    weft_ctx_cancel(b);
    weft_ctx_release(b);
    CHECK(weft_ctx_err(weft_ctx_background()) == 0);
}

TASK_TEST(cancel_is_seen_at_once)
{
    struct weft_ctx *a = weft_ctx_with_cancel(NULL), *b = weft_ctx_with_cancel(a);
    expect(a, 0);
    expect(b, 0);
    weft_ctx_cancel(a);
    weft_ctx_cancel(a);
    expect(a, -ECANCELED);
    expect(b, -ECANCELED);
    weft_ctx_release(b);
    weft_ctx_release(a);
}

static const char key_a, key_b;

TASK_TEST(parent_ends_children)
{
    int value;
    struct weft_ctx *parent = weft_ctx_with_cancel(NULL), *child = weft_ctx_with_cancel(parent);
    struct weft_ctx *valued = weft_ctx_with_value(parent, &key_a, &value);
    struct weft_ctx *timed = weft_ctx_with_timeout(valued, LONG_NS);
    struct weft_ctx *all[] = {parent, child, valued, timed};
    for (int i = 0; i < 4; i++)
        expect(all[i], 0);
    weft_ctx_cancel(parent);
    for (int i = 0; i < 4; i++)
        expect(all[i], -ECANCELED);
    struct weft_ctx *late = weft_ctx_with_value(parent, &key_a, &value);
    expect(late, -ECANCELED);
    weft_ctx_release(late);
    for (int i = 0; i < 4; i++)
        weft_ctx_release(all[i]);
}

TASK_TEST(child_ends_first)
{
    struct weft_ctx *cancelable = weft_ctx_with_cancel(NULL);
    struct weft_ctx *parents[] = {weft_ctx_background(), cancelable};
    for (int i = 0; i < 2; i++) {
        struct weft_ctx *child = weft_ctx_with_cancel(parents[i]);
        struct weft_ctx *sibling = weft_ctx_with_cancel(parents[i]);
        weft_ctx_cancel(child);
        expect(child, -ECANCELED);
        CHECK(weft_ctx_err(parents[i]) == 0 && weft_ctx_err(sibling) == 0);
        weft_ctx_cancel(sibling);
        weft_ctx_release(sibling);
        weft_ctx_release(child);
    }
    expect(cancelable, 0);
    weft_ctx_cancel(cancelable);
    weft_ctx_release(cancelable);
}

/* ---- time ---- */

static void times_out(struct weft_ctx *ctx)
{
    int64_t when;
    CHECK(weft_ctx_deadline(ctx, &when) == 1);
    CHECK(weft_chan_recv(weft_ctx_done(ctx), NULL) == -EPIPE);
    CHECK(weft_ctx_err(ctx) == -ETIMEDOUT && weft_now() >= when);
    weft_ctx_release(ctx);
}

TASK_TEST(deadlines)
{
    int64_t now = weft_now();
    int value;
    times_out(weft_ctx_with_deadline(NULL, now + WEFT_MS));
    times_out(weft_ctx_with_timeout(NULL, WEFT_MS));
    times_out(weft_ctx_with_deadline(NULL, now - WEFT_MS));
    times_out(weft_ctx_with_deadline(NULL, weft_now()));
    times_out(weft_ctx_with_timeout(NULL, -1));
    struct weft_ctx *above = weft_ctx_with_timeout(NULL, WEFT_MS);
    struct weft_ctx *valued = weft_ctx_with_value(above, &key_a, &value);
    times_out(weft_ctx_with_timeout(valued, LONG_NS));
    weft_ctx_release(valued);
    times_out(above);
}

TASK_TEST(cancelled_before_its_time)
{
    struct weft_ctx *above = weft_ctx_with_timeout(NULL, LONG_NS);
    struct weft_ctx *ctx = weft_ctx_with_timeout(above, 2 * LONG_NS);
    weft_ctx_cancel(ctx);
    expect(ctx, -ECANCELED);
    expect(above, 0);
    weft_ctx_cancel(above);
    weft_ctx_release(ctx);
    weft_ctx_release(above);
}

TASK_TEST(earliest_deadline)
{
    int64_t now = weft_now(), when = 0;
    struct weft_ctx *a = weft_ctx_with_deadline(NULL, now + LONG_NS);
    struct weft_ctx *b = weft_ctx_with_deadline(a, now + 2 * LONG_NS);
    struct weft_ctx *c = weft_ctx_with_deadline(b, now + LONG_NS / 2);
    struct weft_ctx *d = weft_ctx_with_cancel(c);
    CHECK(weft_ctx_deadline(b, &when) && when == now + LONG_NS);
    CHECK(weft_ctx_deadline(c, &when) && when == now + LONG_NS / 2);
    CHECK(weft_ctx_deadline(d, &when) && when == now + LONG_NS / 2);
    weft_ctx_cancel(a);
    weft_ctx_release(d);
    weft_ctx_release(c);
    weft_ctx_release(b);
    weft_ctx_release(a);
}

/* ---- values ---- */

TASK_TEST(values)
{
    static const char key_c;
    char one, two, three;
    struct weft_ctx *c1 = weft_ctx_with_value(NULL, &key_a, &one);
    struct weft_ctx *c2 = weft_ctx_with_value(c1, &key_b, &two);
    struct weft_ctx *between = weft_ctx_with_cancel(c2);
    struct weft_ctx *c3 = weft_ctx_with_value(between, &key_c, &three);
    struct weft_ctx *c4 = weft_ctx_with_value(c3, &key_a, NULL);
    CHECK(!weft_ctx_value(weft_ctx_background(), &key_a));
    CHECK(weft_ctx_value(c1, &key_a) == &one && !weft_ctx_value(c1, &key_b));
    CHECK(weft_ctx_value(c2, &key_a) == &one && weft_ctx_value(c2, &key_b) == &two);
    CHECK(weft_ctx_value(c3, &key_a) == &one && weft_ctx_value(c3, &key_b) == &two);
    CHECK(weft_ctx_value(c3, &key_c) == &three && !weft_ctx_value(c2, &key_c));
    CHECK(!weft_ctx_value(c4, &key_a) && weft_ctx_value(c4, &key_b) == &two);
    weft_ctx_cancel(between);
    CHECK(weft_ctx_value(c3, &key_a) == &one);
    struct weft_ctx *all[] = {c4, c3, between, c2, c1};
    for (int i = 0; i < 5; i++)
        weft_ctx_release(all[i]);
}

/* ---- many ---- */

enum { TREE = 101 };

static void cancel_one(void *arg)
{
    weft_ctx_cancel(arg);
    weft_ctx_release(arg);
}

TASK_TEST(cancels_at_once)
{
    for (int round = 0; round < 20; round++) {
        struct weft_ctx *tree[TREE];
        struct weft_waitgroup wg = {0};
        tree[0] = weft_ctx_with_cancel(NULL);
        for (int i = 1; i < TREE; i++)
            tree[i] = weft_ctx_with_cancel(tree[(i - 1) / 4]);
        for (int i = 0; i < TREE; i++) { /* 37 and 101 have no common factor: in some disorder */
            struct weft_ctx *ctx = weft_ctx_retain(tree[i * 37 % TREE]);
            CHECK(weft_waitgroup_go(&wg, cancel_one, ctx) == 0);
        }
        for (int i = 0; i < TREE; i++)
            CHECK(weft_chan_recv(weft_ctx_done(tree[i * 53 % TREE]), NULL) == -EPIPE);
        weft_waitgroup_wait(&wg);
        for (int i = 0; i < TREE; i++) {
            expect(tree[i], -ECANCELED);
            weft_ctx_release(tree[i]);
        }
    }
}

struct family {
    struct weft_ctx *parent, *child;
    struct weft_waitgroup wg;
};

static void cancel_child_after_parent(void *arg)
{
    struct family *f = arg;
    CHECK(weft_chan_recv(weft_ctx_done(f->parent), NULL) == -EPIPE);
    weft_ctx_cancel(f->child);
}

TASK_TEST(interlocked)
{
    for (int i = 0; i < 100; i++) {
        struct family f = {.parent = weft_ctx_with_cancel(NULL)};
        f.child = weft_ctx_with_cancel(f.parent);
        CHECK(weft_waitgroup_go(&f.wg, cancel_child_after_parent, &f) == 0);
        weft_ctx_cancel(f.parent);
        CHECK(weft_chan_recv(weft_ctx_done(f.child), NULL) == -EPIPE);
        weft_waitgroup_wait(&f.wg);
        weft_ctx_release(f.child);
        weft_ctx_release(f.parent);
    }
}

enum { LAYERS = 60 };

static void check_values(struct weft_ctx *ctx, struct weft_ctx **layers, const char *kinds)
{
    for (int i = 0; i < LAYERS; i++) {
        if (kinds[i] == 0)
            CHECK(weft_ctx_value(ctx, &layers[i]) == &layers[i]);
    }
}

static void climb(bool by_time, uint32_t random)
{
    struct weft_ctx *layers[LAYERS], *ctx = NULL;
    char kinds[LAYERS];
    int cancelable = 0;
    for (int i = 0; i < LAYERS; i++) {
        random = random * 1664525u + 1013904223u;
        kinds[i] = i < 3 ? (char)i : (char)((random >> 8) % 3); /* each kind once at least */
        if (kinds[i] == 0)
            layers[i] = weft_ctx_with_value(ctx, &layers[i], &layers[i]);
        else if (kinds[i] == 1)
            layers[i] = weft_ctx_with_cancel(ctx);
        else
            layers[i] = weft_ctx_with_timeout(ctx, by_time ? WEFT_MS : LONG_NS);
        ctx = layers[i];
        if (kinds[i] != 0 && (random >> 16) % 2)
            cancelable = i;
    }
    check_values(ctx, layers, kinds);
    if (!by_time)
        expect(ctx, 0);
    if (by_time)
        CHECK(weft_chan_recv(weft_ctx_done(ctx), NULL) == -EPIPE);
    else
        weft_ctx_cancel(layers[cancelable ? cancelable : 1]);
    expect(ctx, by_time ? -ETIMEDOUT : -ECANCELED);
    check_values(ctx, layers, kinds);
    for (int i = LAYERS - 1; i >= 0; i--) {
        if (kinds[i] != 0)
            weft_ctx_cancel(layers[i]);
        weft_ctx_release(layers[i]);
    }
}

TASK_TEST(layers)
{
    uint32_t seed = (uint32_t)weft_now();
    for (uint32_t i = 0; i < 30; i++)
        climb(i % 3 == 0, seed + i);
}

TASK_TEST(cancelled_parent)
{
    struct weft_ctx *parent = weft_ctx_with_cancel(NULL);
    weft_ctx_cancel(parent);
    struct weft_ctx *a = weft_ctx_with_cancel(parent);
    struct weft_ctx *b = weft_ctx_with_timeout(parent, LONG_NS);
    expect(a, -ECANCELED);
    expect(b, -ECANCELED);
    weft_ctx_release(a);
    weft_ctx_release(b);
    weft_ctx_release(parent);
    struct weft_ctx *late = weft_ctx_with_deadline(NULL, weft_now() - 1);
    struct weft_ctx *below = weft_ctx_with_cancel(late);
    expect(below, -ETIMEDOUT);
    weft_ctx_release(below);
    weft_ctx_release(late);
}

TASK_TEST(children_are_dropped)
{
    struct weft_ctx *parent = weft_ctx_with_cancel(NULL);
    size_t before = 0;
    for (int i = 0; i < 1000; i++) {
        struct weft_ctx *a = weft_ctx_with_cancel(parent);
        struct weft_ctx *b = weft_ctx_with_timeout(parent, LONG_NS);
        weft_ctx_cancel(a);
        weft_ctx_cancel(b);
        weft_ctx_release(a);
        weft_ctx_release(b);
        if (i == 100)
            before = mallinfo2().uordblks;
    }
    CHECK(mallinfo2().uordblks <= before + 16 * 1024);
    expect(parent, 0);
    weft_ctx_cancel(parent);
    weft_ctx_release(parent);
}

TASK_TEST(in_a_select)
{
    struct weft_ctx *slow = weft_ctx_with_timeout(NULL, LONG_NS);
    struct weft_ctx *quick = weft_ctx_with_timeout(NULL, 2 * WEFT_MS);
    struct weft_chan *work = weft_chan_new(0, 0);
    struct weft_case cases[] = {WEFT_RECV(weft_ctx_done(slow), NULL), WEFT_RECV(work, NULL),
                                WEFT_RECV(weft_ctx_done(quick), NULL),
                                WEFT_RECV(weft_ctx_done(weft_ctx_background()), NULL)};
    CHECK(weft_select(cases, 4, WEFT_FOREVER) == 2 && cases[2].ok == 0);
    CHECK(weft_ctx_err(quick) == -ETIMEDOUT && weft_ctx_err(slow) == 0);
    weft_ctx_cancel(slow);
    weft_ctx_release(slow);
    weft_ctx_release(quick);
    weft_chan_release(work);
}

/* ---- deaths ---- */

static void nil_key(void *arg)
{
    weft_ctx_with_value(NULL, NULL, arg);
}

static void cancel_of_a_value(void *arg)
{
    weft_ctx_cancel(weft_ctx_with_value(NULL, &key_a, arg));
}

static const struct death all_deaths[] = {
    {nil_key, "weft: nil key of a context value"},
    {cancel_of_a_value, "weft: cancel of a context that only has a value"},
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
        cmocka_unit_test(background),
        cmocka_unit_test(cancel_is_seen_at_once),
        cmocka_unit_test(parent_ends_children),
        cmocka_unit_test(child_ends_first),
        cmocka_unit_test(deadlines),
        cmocka_unit_test(cancelled_before_its_time),
        cmocka_unit_test(earliest_deadline),
        cmocka_unit_test(values),
        cmocka_unit_test(cancels_at_once),
        cmocka_unit_test(interlocked),
        cmocka_unit_test(layers),
        cmocka_unit_test(cancelled_parent),
        cmocka_unit_test(children_are_dropped),
        cmocka_unit_test(in_a_select),
        cmocka_unit_test(deaths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
