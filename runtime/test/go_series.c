/*
 * Power series as tasks that give the next coefficient when asked, after an idea of McIlroy that
 * Go's test/chan/powser1 carries out; the program is our own. Each series is two channels without
 * room; sums, products and series defined by themselves are nets of tasks that grow as they are
 * asked on. What it tries that simpler tests do not:
 *
 *   a select whose cases turn from sends to receives to nil               next_of_both
 *   a select that serves two askers and its own source at once            share
 *   nets that feed on themselves: each wait has to end in any order       exponential, tangent
 *   a run that ends with all of them waiting                              each test
 */
#include <stdbool.h>

#include "runtime/test/check.h"

enum { COEFFICIENTS = 10 };

/* ---- fractions ---- */

struct fraction {
    int64_t up, down;
};

static struct fraction fraction(int64_t up, int64_t down)
{
    int64_t a = llabs(up), b = down;
    while (b) {
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return (struct fraction){up / a, down / a};
}

static struct fraction plus(struct fraction a, struct fraction b)
{
    return fraction(a.up * b.down + b.up * a.down, a.down * b.down);
}

static struct fraction times(struct fraction a, struct fraction b)
{
    return fraction(a.up * b.up, a.down * b.down);
}

/* ---- series ---- */

struct series {
    struct weft_chan *ask, *give;
};

static struct series new_series(void)
{
    return (struct series){weft_chan_new(0, 0), weft_chan_new(sizeof(struct fraction), 0)};
}

static struct fraction next(struct series s)
{
    struct fraction f;
    CHECK(weft_chan_send(s.ask, NULL) == 0 && weft_chan_recv(s.give, &f) == 0);
    return f;
}

static void await_asked(struct series s)
{
    CHECK(weft_chan_recv(s.ask, NULL) == 0);
}

static void give(struct series s, struct fraction f)
{
    CHECK(weft_chan_send(s.give, &f) == 0);
}

/* Of two at once: neither waits for the other. */
static void next_of_both(const struct series s[2], struct fraction f[2])
{
    struct weft_case cases[] = {WEFT_SEND(s[0].ask, NULL), WEFT_SEND(s[1].ask, NULL)};
    for (int left = 4; left > 0; left--) {
        int i = weft_select(cases, 2, WEFT_FOREVER);
        CHECK((i == 0 || i == 1) && cases[i].ok);
        if (cases[i].kind == WEFT_CASE_SEND)
            cases[i] = (struct weft_case)WEFT_RECV(s[i].give, &f[i]);
        else
            cases[i].chan = NULL;
    }
}

/* Where the run is over meanwhile nobody will ask. */
static void begin_task(void (*fn)(void *), const void *capture, size_t size)
{
    int r = weft_go_copy(fn, capture, size);
    if (r == -ESRCH)
        weft_chan_recv(NULL, NULL);
    CHECK(r == 0);
}

/* A net's task: what it gives to, and what it asks. */
struct node {
    struct series out, in[2];
    struct fraction first;
};

static struct series begin(void (*fn)(void *), struct series a, struct series b,
                           struct fraction first)
{
    struct node n = {new_series(), {a, b}, first};
    begin_task(fn, &n, sizeof n);
    return n.out;
}

static const struct series none;
static const struct fraction zero = {0, 1}, one = {1, 1};

static void run_constant(void *arg)
{
    const struct node *n = arg;
    for (;;) {
        await_asked(n->out);
        give(n->out, n->first);
    }
}

static struct series constant(struct fraction f)
{
    return begin(run_constant, none, none, f);
}

/* ---- one for two who ask, at different times ---- */

struct item {
    struct item *next;
    struct fraction f;
};

struct asker {
    struct series to;
    struct item *head, **tail; /* what the other had before */
    bool waits;
};

struct share {
    struct series from;
    struct asker asker[2];
    bool fetching;
};

static void hand_on(struct asker *a, struct fraction f)
{
    if (a->waits) {
        a->waits = false;
        give(a->to, f);
        return;
    }
    struct item *item = malloc(sizeof *item);
    CHECK(item);
    *item = (struct item){NULL, f};
    *a->tail = item;
    a->tail = &item->next;
}

static void answer(struct share *s, struct asker *a)
{
    struct item *item = a->head;
    if (item) {
        a->head = item->next;
        if (!a->head)
            a->tail = &a->head;
        give(a->to, item->f);
        free(item);
        return;
    }
    a->waits = true;
    if (!s->fetching)
        CHECK(weft_chan_send(s->from.ask, NULL) == 0);
    s->fetching = true;
}

/* While it waits for the source it goes on to answer: the source may be waiting for that. */
static void run_share(void *arg)
{
    struct share *s = arg;
    struct fraction f;
    for (int i = 0; i < 2; i++)
        s->asker[i].tail = &s->asker[i].head;
    for (;;) {
        struct weft_case cases[] = {WEFT_RECV(s->asker[0].to.ask, NULL),
                                    WEFT_RECV(s->asker[1].to.ask, NULL),
                                    WEFT_RECV(s->fetching ? s->from.give : NULL, &f)};
        int i = weft_select(cases, 3, WEFT_FOREVER);
        CHECK(i >= 0 && i < 3 && cases[i].ok);
        if (i < 2) {
            answer(s, &s->asker[i]);
            continue;
        }
        s->fetching = false;
        hand_on(&s->asker[0], f);
        hand_on(&s->asker[1], f);
    }
}

static void share(struct series from, struct series to[2])
{
    struct share s = {.from = from, .asker = {{.to = to[0]}, {.to = to[1]}}};
    begin_task(run_share, &s, sizeof s);
}

/* ---- operations ---- */

static void run_sum(void *arg)
{
    const struct node *n = arg;
    struct fraction f[2];
    for (;;) {
        await_asked(n->out);
        next_of_both(n->in, f);
        give(n->out, plus(f[0], f[1]));
    }
}

/* (f + xF)(g + xG) = fg + x(fG + gF) + xx FG */
static void run_product(void *arg)
{
    const struct node *n = arg;
    struct series rest[2][2];
    struct fraction head[2], f[2];
    await_asked(n->out);
    next_of_both(n->in, head);
    give(n->out, times(head[0], head[1]));
    for (int i = 0; i < 2; i++) {
        rest[i][0] = new_series();
        rest[i][1] = new_series();
        share(n->in[i], rest[i]);
    }
    const struct series tails[] = {rest[0][0], rest[1][0]};
    struct series below = none;
    for (int at = 1;; at++) {
        await_asked(n->out);
        next_of_both(tails, f);
        struct fraction sum = plus(times(head[0], f[1]), times(head[1], f[0]));
        if (at == 2)
            below = begin(run_product, rest[0][1], rest[1][1], zero);
        give(n->out, at < 2 ? sum : plus(sum, next(below)));
    }
}

static void run_integral(void *arg)
{
    const struct node *n = arg;
    await_asked(n->out);
    give(n->out, n->first);
    for (int64_t i = 1;; i++) {
        await_asked(n->out);
        give(n->out, times(next(n->in[0]), fraction(1, i)));
    }
}

static void expect(struct series s, const struct fraction *expected)
{
    for (int i = 0; i < COEFFICIENTS; i++) {
        struct fraction f = next(s);
        CHECK(f.up == expected[i].up && f.down == expected[i].down);
    }
}

TASK_TEST(sums_and_products)
{
    struct fraction whole[COEFFICIENTS], halves[COEFFICIENTS];
    for (int i = 0; i < COEFFICIENTS; i++) {
        whole[i] = fraction(i + 1, 1);
        halves[i] = fraction(3, 2);
    }
    expect(begin(run_sum, constant(one), constant(fraction(1, 2)), zero), halves);
    /* 1 / (1 - x), squared */
    expect(begin(run_product, constant(one), constant(one), zero), whole);
}

/* E = 1 + integral of E */
TASK_TEST(exponential)
{
    static const struct fraction expected[COEFFICIENTS] = {
        {1, 1},   {1, 1},   {1, 2},    {1, 6},     {1, 24},
        {1, 120}, {1, 720}, {1, 5040}, {1, 40320}, {1, 362880}};
    struct series ends[] = {new_series(), new_series()};
    share(begin(run_integral, ends[1], none, one), ends);
    expect(ends[0], expected);
}

/* T = integral of 1 + T T */
TASK_TEST(tangent)
{
    static const struct fraction expected[COEFFICIENTS] = {
        {0, 1}, {1, 1}, {0, 1}, {1, 3}, {0, 1}, {2, 15}, {0, 1}, {17, 315}, {0, 1}, {62, 2835}};
    struct series ends[] = {new_series(), new_series()}, twice[] = {new_series(), new_series()};
    struct series only_one = begin(run_integral, constant(zero), none, one);
    struct series square = begin(run_product, twice[0], twice[1], zero);
    share(ends[1], twice);
    share(begin(run_integral, begin(run_sum, only_one, square, zero), none, zero), ends);
    expect(ends[0], expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_and_products),
        cmocka_unit_test(exponential),
        cmocka_unit_test(tangent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
