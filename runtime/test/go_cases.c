/*
 * What Go promises of select (language specification, its own test/chan), case by case, in tests of
 * our own; ideas of libmill's choose and neco's test_chan as well. Many at once: go_select.c.
 *
 *   which selects wait for ever, and which never                     waits_or_not
 *   each kind of send meets each kind of receive                     every_pair
 *   the one ready case is found among all mixes of cases             mixes
 *   what is not chosen is not touched                                others_untouched
 *   close wakes a waiting select, the case is chosen, not ok         close_chooses
 *   large elements, many cases, no memory kept                       large_elements, nothing_kept
 *   a time limit: not early, and not when a case is ready            time_limit
 *   send on a closed channel stops the program, in each place        deaths
 */
#include <malloc.h>
#include <stdbool.h>

#include "runtime/test/death.h"

enum { TURNS = 2000 };

/* ---- who waits ---- */

struct table {
    struct weft_case cases[3];
    unsigned n;
};

static void select_table(void *arg)
{
    struct table *t = arg;
    weft_select(t->cases, t->n, WEFT_FOREVER);
    CHECK(!"it went on");
}

TASK_TEST(waits_or_not)
{
    struct weft_chan *idle = weft_chan_new(0, 0), *room = weft_chan_new(0, 1);
    struct weft_chan *filled = weft_chan_new(0, 1), *closed = weft_chan_new(0, 0);
    CHECK(weft_chan_send(filled, NULL) == 0);
    weft_chan_close(closed);
    struct table forever[] = {
        {.n = 0},
        {{WEFT_RECV(NULL, NULL)}, 1},
        {{WEFT_SEND(NULL, NULL)}, 1},
        {{WEFT_RECV(NULL, NULL), WEFT_SEND(NULL, NULL)}, 2},
        {{WEFT_RECV(idle, NULL)}, 1},
        {{WEFT_SEND(idle, NULL), WEFT_RECV(NULL, NULL)}, 2},
    };
    struct table never[] = {
        {{WEFT_DEFAULT}, 1},
        {{WEFT_DEFAULT, WEFT_RECV(NULL, NULL)}, 2},
        {{WEFT_DEFAULT, WEFT_SEND(NULL, NULL), WEFT_RECV(room, NULL)}, 3},
        {{WEFT_RECV(closed, NULL)}, 1},
        {{WEFT_RECV(closed, NULL), WEFT_DEFAULT}, 2},
        {{WEFT_SEND(room, NULL), WEFT_DEFAULT}, 2},
        {{WEFT_RECV(filled, NULL), WEFT_DEFAULT}, 2},
    };
    enum { WAITERS = sizeof forever / sizeof *forever };
    for (unsigned i = 0; i < sizeof never / sizeof *never; i++)
        CHECK(weft_select(never[i].cases, never[i].n, WEFT_FOREVER) == 0);
    /* Not on `idle` at both ends at once: those would meet. */
    for (unsigned i = 0; i < WAITERS - 1; i++)
        CHECK(weft_go(select_table, &forever[i]) == 0);
    await_waiting(WAITERS - 1);
    for (int i = 0; i < 100; i++)
        weft_yield();
    await_waiting(WAITERS - 1);
    weft_chan_release(room);
    weft_chan_release(filled);
    weft_chan_release(closed); /* `idle` has its waiters until the end */
}

/* Kinds: plain, a select of one, a select of two. */
static void operate(int kind, enum weft_case_kind what, struct weft_chan *c, int64_t *v)
{
    struct weft_chan *other = weft_chan_new(sizeof(int64_t), 0);
    struct weft_case cases[] = {{what, c, v, 0}, {what, other, v, 0}};
    if (kind > 0)
        CHECK(weft_select(cases, (unsigned)kind, WEFT_FOREVER) == 0 && cases[0].ok);
    else if (what == WEFT_CASE_SEND)
        CHECK(weft_chan_send(c, v) == 0);
    else
        CHECK(weft_chan_recv(c, v) == 0);
    weft_chan_release(other);
}

struct pair {
    int kind;
    struct weft_chan *chan;
};

static void pair_receives(void *arg)
{
    struct pair *p = arg;
    int64_t v = 0;
    operate(p->kind, WEFT_CASE_RECV, p->chan, &v);
    CHECK(v == 42);
}

static void pair_sends(void *arg)
{
    struct pair *p = arg;
    int64_t v = 42;
    operate(p->kind, WEFT_CASE_SEND, p->chan, &v);
}

TASK_TEST(every_pair)
{
    for (int i = 0; i < 3 * 3 * 4; i++) {
        struct pair first = {i % 3, weft_chan_new(sizeof(int64_t), 0)};
        int second = i / 3 % 3;
        bool waits = i / 9 % 2, sends = i / 18;
        int64_t v = 42;
        CHECK(weft_go_copy(sends ? pair_sends : pair_receives, &first, sizeof first) == 0);
        if (waits)
            await_waiting(1);
        operate(second, sends ? WEFT_CASE_RECV : WEFT_CASE_SEND, first.chan, &v);
        CHECK(v == 42);
        await_ends();
        weft_chan_release(first.chan);
    }
}

/* One ready case, among all mixes of those that are not, in each place. */
TASK_TEST(mixes)
{
    struct weft_chan *c = weft_chan_new(sizeof(int64_t), 1);
    struct weft_chan *dummy = weft_chan_new(sizeof(int64_t), 0);
    int64_t v, n = 1;
    for (unsigned mix = 0; mix < 1u << 7; mix++, n++) {
        const struct weft_case ready[] = {WEFT_RECV(c, &v), WEFT_SEND(c, &n)};
        const struct weft_case others[] = {WEFT_SEND(dummy, &n), WEFT_RECV(dummy, &v),
                                           WEFT_SEND(NULL, &n), WEFT_RECV(NULL, &v), WEFT_DEFAULT};
        bool sends = mix & 1, last = mix & 2;
        struct weft_case cases[6];
        unsigned count = 0;
        if (!last)
            cases[count++] = ready[sends];
        for (unsigned k = 0; k < 5; k++) {
            if (mix >> (2 + k) & 1)
                cases[count++] = others[k];
        }
        unsigned place = last ? count : 0;
        if (last)
            cases[count++] = ready[sends];
        if (!sends)
            CHECK(weft_chan_send(c, &n) == 0);
        CHECK(weft_select(cases, count, WEFT_FOREVER) == (int)place && cases[place].ok);
        if (sends)
            CHECK(weft_chan_recv(c, &v) == 0);
        CHECK(v == n && weft_chan_len(c) == 0);
    }
    weft_chan_release(c);
    weft_chan_release(dummy);
}

TASK_TEST(others_untouched)
{
    struct weft_chan *c = weft_chan_new(sizeof(int64_t), 1), *d = weft_chan_new(8, 0);
    int64_t good = 0, bad = 77, v = 42;
    CHECK(weft_chan_send(c, &v) == 0);
    struct weft_case cases[] = {WEFT_RECV(d, &bad), WEFT_RECV(c, &good), WEFT_SEND(d, &bad)};
    CHECK(weft_select(cases, 3, WEFT_FOREVER) == 1 && good == 42 && bad == 77);
    CHECK(weft_select(cases, 3, 0) == -ETIMEDOUT && good == 42 && bad == 77);
    struct weft_case with_default[] = {WEFT_RECV(d, NULL), WEFT_DEFAULT, WEFT_RECV(c, &bad)};
    CHECK(weft_select(with_default, 3, WEFT_FOREVER) == 1 && bad == 77);
    weft_chan_release(c);
    weft_chan_release(d);
}

/* ---- close, sizes, time ---- */

struct two {
    struct weft_chan *a, *b;
};

static void see_close(void *arg)
{
    struct two *t = arg;
    int64_t v = 5;
    struct weft_case cases[] = {WEFT_RECV(t->a, NULL), WEFT_RECV(t->b, &v)};
    CHECK(weft_select(cases, 2, WEFT_FOREVER) == 1 && cases[1].ok == 0 && v == 0);
}

TASK_TEST(close_chooses)
{
    struct two t = {weft_chan_new(0, 0), weft_chan_new(sizeof(int64_t), 0)};
    for (int i = 0; i < 20; i++)
        CHECK(weft_go(see_close, &t) == 0);
    await_waiting(20);
    weft_chan_close(t.b);
    await_ends();
    see_close(&t);
    weft_chan_release(t.a);
    weft_chan_release(t.b);
}

struct large {
    unsigned char bytes[4096];
};

static void send_large(void *arg)
{
    struct large *large = malloc(sizeof *large);
    memset(large, 0xa5, sizeof *large);
    CHECK(weft_chan_send(arg, large) == 0);
    free(large);
}

TASK_TEST(large_elements)
{
    for (size_t capacity = 0; capacity < 2; capacity++) {
        struct weft_chan *c = weft_chan_new(sizeof(struct large), capacity);
        struct weft_chan *d = weft_chan_new(1, 0);
        struct large *got = calloc(1, sizeof *got);
        struct weft_case cases[] = {WEFT_RECV(d, NULL), WEFT_RECV(c, got)};
        CHECK(weft_go(send_large, c) == 0);
        CHECK(weft_select(cases, 2, WEFT_FOREVER) == 1);
        for (size_t i = 0; i < sizeof got->bytes; i++)
            CHECK(got->bytes[i] == 0xa5);
        await_ends();
        free(got);
        weft_chan_release(c);
        weft_chan_release(d);
    }
}

enum { MANY = 20 };

static void feed_last(void *arg)
{
    for (int i = 0; i < TURNS; i++)
        CHECK(weft_chan_send(arg, NULL) == 0);
}

TASK_TEST(nothing_kept)
{
    struct weft_case cases[MANY];
    size_t before = 0;
    for (int i = 0; i < MANY; i++)
        cases[i] = (struct weft_case)WEFT_RECV(weft_chan_new(0, 0), NULL);
    for (int round = 0; round < 2; round++) {
        CHECK(weft_go(feed_last, cases[MANY - 1].chan) == 0);
        for (int i = 0; i < TURNS; i++)
            CHECK(weft_select(cases, MANY, WEFT_FOREVER) == MANY - 1);
        await_ends();
        if (round == 0)
            before = mallinfo2().uordblks;
    }
    CHECK(mallinfo2().uordblks <= before + 64 * 1024);
    for (int i = 0; i < MANY; i++)
        weft_chan_release(cases[i].chan);
}

TASK_TEST(time_limit)
{
    struct weft_chan *c = weft_chan_new(0, 1);
    struct weft_case cases[] = {WEFT_RECV(c, NULL), WEFT_RECV(NULL, NULL)};
    for (int i = 0; i < 20; i++) {
        int64_t before = weft_now(), limit = (i % 3) * WEFT_MS / 2;
        CHECK(weft_select(cases, 2, limit) == -ETIMEDOUT && weft_now() - before >= limit);
        CHECK(weft_chan_send(c, NULL) == 0);
        CHECK(weft_select(cases, 2, limit) == 0);
        CHECK(weft_select(cases, 2, limit) == -ETIMEDOUT);
    }
    weft_chan_release(c);
}

/* ---- deaths ---- */

static void send_among_many(void *arg)
{
    (void)arg;
    struct weft_case cases[MANY];
    for (int i = 0; i < MANY; i++)
        cases[i] = (struct weft_case)WEFT_RECV(weft_chan_new(0, 0), NULL);
    cases[7].kind = WEFT_CASE_SEND;
    weft_chan_close(cases[7].chan);
    weft_select(cases, MANY, WEFT_FOREVER);
}

static void close_it(void *arg)
{
    weft_chan_close(arg);
}

static void closed_while_selecting(void *arg)
{
    (void)arg;
    struct weft_chan *c = weft_chan_new(0, 0), *d = weft_chan_new(0, 0);
    struct weft_case cases[] = {WEFT_RECV(d, NULL), WEFT_SEND(c, NULL)};
    weft_go(close_it, c);
    weft_select(cases, 2, WEFT_S);
}

static const struct death all_deaths[] = {
    {send_among_many, "weft: send on closed channel"},
    {closed_while_selecting, "weft: send on closed channel"},
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
        cmocka_unit_test(waits_or_not),  cmocka_unit_test(every_pair),
        cmocka_unit_test(mixes),         cmocka_unit_test(others_untouched),
        cmocka_unit_test(close_chooses), cmocka_unit_test(large_elements),
        cmocka_unit_test(nothing_kept),  cmocka_unit_test(time_limit),
        cmocka_unit_test(deaths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
