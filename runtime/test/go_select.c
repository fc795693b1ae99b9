/*
 * What Go promises of select (language specification, its own test/chan and chan_test) while many
 * use the same channels, each in a test of our own. What each mix of cases does: go_cases.c.
 *
 *   a select sees all its channels at one moment                     one_moment
 *   a task does not meet itself in a select on both ends             not_itself
 *   plain operations and selects on shared channels lose nothing     mixed_traffic
 *   a value goes to one of many receivers that select                each_value_once
 *   among ready cases the choice is fair                             fair_receives, fair_sends
 *   one channel may stand in several cases                           same_channel_twice
 *   a case that lost leaves no trace in its channel's queue          loser_leaves
 *   first come, first served holds for selects that wait             selects_queue
 */
#include <stdbool.h>

#include "runtime/test/check.h"

/* ---- one moment ---- */

struct two {
    struct weft_chan *a, *b;
    struct weft_waitgroup wg;
};

static void one_is_ready(void *arg)
{
    struct two *t = arg;
    struct weft_case cases[] = {WEFT_RECV(t->a, NULL), WEFT_RECV(t->b, NULL), WEFT_DEFAULT};
    CHECK(weft_select(cases, 3, WEFT_FOREVER) < 2);
}

/* From when the task begins, at least one of the two can be received from. */
TASK_TEST(one_moment)
{
    for (int i = 0; i < 1000; i++) {
        struct two t = {.a = weft_chan_new(0, 1), .b = weft_chan_new(0, 1)};
        CHECK(weft_chan_send(t.a, NULL) == 0);
        CHECK(weft_waitgroup_go(&t.wg, one_is_ready, &t) == 0);
        if (i % 2)
            weft_chan_close(t.b);
        else
            CHECK(weft_chan_send(t.b, NULL) == 0);
        weft_chan_try_recv(t.a, NULL);
        weft_waitgroup_wait(&t.wg);
        weft_chan_release(t.a);
        weft_chan_release(t.b);
    }
}

struct self {
    struct weft_chan *chan;
    struct weft_waitgroup wg;
    bool unbuffered;
    _Atomic int64_t next;
};

static void both_ends(void *arg)
{
    struct self *s = arg;
    int64_t me = s->next++, v;
    for (int i = 0; i < 1000; i++) {
        struct weft_case send_first[] = {WEFT_SEND(s->chan, &me), WEFT_RECV(s->chan, &v)};
        struct weft_case recv_first[] = {WEFT_RECV(s->chan, &v), WEFT_SEND(s->chan, &me)};
        bool first = me == 0 || i % 2 == 0;
        int r = weft_select(first ? send_first : recv_first, 2, WEFT_FOREVER);
        CHECK(r == 0 || r == 1);
        if (r == (first ? 1 : 0) && s->unbuffered)
            CHECK(v != me);
    }
}

TASK_TEST(not_itself)
{
    for (size_t capacity = 0; capacity <= 10; capacity += 10) {
        struct self s = {.chan = weft_chan_new(sizeof(int64_t), capacity),
                         .unbuffered = capacity == 0};
        CHECK(weft_waitgroup_go(&s.wg, both_ends, &s) == 0);
        CHECK(weft_waitgroup_go(&s.wg, both_ends, &s) == 0);
        weft_waitgroup_wait(&s.wg);
        weft_chan_release(s.chan);
    }
}

/* ---- traffic ---- */

enum { LANES = 4, TURNS = 2000 };

struct mixed {
    struct weft_chan *chan[LANES];
    struct weft_waitgroup wg;
};

struct lane {
    struct mixed *mixed;
    int number;
};

static void lane_sends(void *arg)
{
    struct lane *l = arg;
    for (int i = 0; i < TURNS; i++)
        CHECK(weft_chan_send(l->mixed->chan[l->number], NULL) == 0);
    weft_waitgroup_done(&l->mixed->wg);
}

static void lane_receives(void *arg)
{
    struct lane *l = arg;
    for (int i = 0; i < TURNS; i++)
        CHECK(weft_chan_recv(l->mixed->chan[l->number], NULL) == 0);
    weft_waitgroup_done(&l->mixed->wg);
}

/* Each lane as often as the plain tasks use it; one that has had enough becomes nil. */
static void select_lanes(struct mixed *m, enum weft_case_kind kind)
{
    struct weft_case cases[LANES];
    int left[LANES];
    for (int k = 0; k < LANES; k++) {
        cases[k] = (struct weft_case){.kind = kind, .chan = m->chan[k]};
        left[k] = TURNS;
    }
    for (int i = 0; i < LANES * TURNS; i++) {
        int k = weft_select(cases, LANES, WEFT_FOREVER);
        CHECK(k >= 0 && k < LANES && left[k] > 0 && cases[k].ok);
        if (--left[k] == 0)
            cases[k].chan = NULL;
    }
    weft_waitgroup_done(&m->wg);
}

static void select_sends(void *arg)
{
    select_lanes(arg, WEFT_CASE_SEND);
}

static void select_receives(void *arg)
{
    select_lanes(arg, WEFT_CASE_RECV);
}

TASK_TEST(mixed_traffic)
{
    struct mixed m = {0};
    static const size_t capacities[LANES] = {0, 0, 2, 3};
    weft_waitgroup_add(&m.wg, 2 * LANES + 2);
    for (int k = 0; k < LANES; k++)
        m.chan[k] = weft_chan_new(0, capacities[k]);
    for (int k = 0; k < LANES; k++) {
        struct lane l = {&m, k};
        CHECK(weft_go_copy(lane_sends, &l, sizeof l) == 0);
        CHECK(weft_go_copy(lane_receives, &l, sizeof l) == 0);
    }
    CHECK(weft_go(select_sends, &m) == 0 && weft_go(select_receives, &m) == 0);
    weft_waitgroup_wait(&m.wg);
    for (int k = 0; k < LANES; k++)
        weft_chan_release(m.chan[k]);
}

enum { FANS = 4, FANNED = 4000 };

struct fan {
    struct weft_chan *out[FANS], *all;
    struct weft_waitgroup wg;
    _Atomic int next;
};

static void fan_out(void *arg)
{
    struct fan *f = arg;
    for (int64_t i = 0; i < FANNED; i++) {
        struct weft_case cases[FANS];
        for (int k = 0; k < FANS; k++)
            cases[k] = (struct weft_case)WEFT_SEND(f->out[k], &i);
        int r = weft_select(cases, FANS, WEFT_FOREVER);
        CHECK(r >= 0 && r < FANS);
    }
    for (int k = 0; k < FANS; k++)
        weft_chan_close(f->out[k]);
}

static void fan_in(void *arg)
{
    struct fan *f = arg;
    struct weft_chan *mine = f->out[f->next++];
    int64_t v;
    while (weft_chan_recv(mine, &v) == 0)
        CHECK(weft_chan_send(f->all, &v) == 0);
}

static void close_all(void *arg)
{
    struct fan *f = arg;
    weft_waitgroup_wait(&f->wg);
    weft_chan_close(f->all);
}

TASK_TEST(each_value_once)
{
    struct fan f = {.all = weft_chan_new(sizeof(int64_t), 0)};
    static uint8_t seen[FANNED];
    memset(seen, 0, sizeof seen);
    for (int k = 0; k < FANS; k++)
        f.out[k] = weft_chan_new(sizeof(int64_t), 0);
    CHECK(weft_go(fan_out, &f) == 0);
    for (int k = 0; k < FANS; k++)
        CHECK(weft_waitgroup_go(&f.wg, fan_in, &f) == 0);
    CHECK(weft_go(close_all, &f) == 0);
    int64_t v, count = 0;
    for (; weft_chan_recv(f.all, &v) == 0; count++) {
        CHECK(v >= 0 && v < FANNED && !seen[v]);
        seen[v] = 1;
    }
    CHECK(count == FANNED);
    for (int k = 0; k < FANS; k++)
        weft_chan_release(f.out[k]);
    weft_chan_release(f.all);
}

/* ---- fairness: six times the deviation ---- */

enum { TRIALS = 10000, MARGIN = 300 };

TASK_TEST(fair_receives)
{
    struct weft_chan *a = weft_chan_new(0, TRIALS), *b = weft_chan_new(0, TRIALS);
    struct weft_chan *c = weft_chan_new(0, 0), *d = weft_chan_new(0, 0);
    int from_a = 0;
    for (int i = 0; i < TRIALS; i++)
        CHECK(weft_chan_send(a, NULL) == 0 && weft_chan_send(b, NULL) == 0);
    for (int i = 0; i < TRIALS; i++) {
        struct weft_case cases[] = {WEFT_RECV(c, NULL), WEFT_RECV(d, NULL), WEFT_RECV(a, NULL),
                                    WEFT_RECV(b, NULL)};
        int r = weft_select(cases, 4, WEFT_FOREVER);
        CHECK(r == 2 || r == 3);
        from_a += r == 2;
    }
    CHECK(abs(from_a - TRIALS / 2) <= MARGIN);
    weft_chan_release(a);
    weft_chan_release(b);
    weft_chan_release(c);
    weft_chan_release(d);
}

TASK_TEST(fair_sends)
{
    struct weft_chan *c = weft_chan_new(sizeof(int64_t), TRIALS);
    int64_t zero = 0, one = 1, v, ones = 0;
    for (int i = 0; i < TRIALS; i++) {
        struct weft_case cases[] = {WEFT_SEND(c, &one), WEFT_SEND(c, &zero)};
        CHECK(weft_select(cases, 2, WEFT_FOREVER) >= 0);
    }
    for (int i = 0; i < TRIALS; i++) {
        CHECK(weft_chan_recv(c, &v) == 0);
        ones += v;
    }
    CHECK(llabs(ones - TRIALS / 2) <= MARGIN);
    weft_chan_release(c);
}

/* ---- queues ---- */

struct three {
    struct weft_chan *c, *d, *e;
};

static void select_twice_on_c(void *arg)
{
    struct three *t = arg;
    int64_t v = 0, nine = 9;
    struct weft_case cases[] = {WEFT_RECV(t->c, &v), WEFT_RECV(t->c, &v), WEFT_RECV(t->d, &v)};
    CHECK(weft_select(cases, 3, WEFT_FOREVER) == 2 && v == 7);
    CHECK(weft_chan_send(t->e, &nine) == 0);
}

static void receive_eight(void *arg)
{
    struct three *t = arg;
    int64_t v;
    CHECK(weft_chan_recv(t->c, &v) == 0 && v == 8);
}

TASK_TEST(same_channel_twice)
{
    for (int i = 0; i < 100; i++) {
        struct three t = {weft_chan_new(sizeof(int64_t), 0), weft_chan_new(sizeof(int64_t), 0),
                          weft_chan_new(sizeof(int64_t), 0)};
        int64_t seven = 7, eight = 8, v;
        CHECK(weft_go(select_twice_on_c, &t) == 0);
        await_waiting(1);
        CHECK(weft_go(receive_eight, &t) == 0);
        await_waiting(2);
        CHECK(weft_chan_send(t.d, &seven) == 0); /* the first leaves the queue of c, twice */
        CHECK(weft_chan_recv(t.e, &v) == 0 && v == 9);
        CHECK(weft_chan_send(t.c, &eight) == 0);
        await_ends();
        weft_chan_release(t.c);
        weft_chan_release(t.d);
        weft_chan_release(t.e);
    }
}

static void plain_c(void *arg)
{
    CHECK(weft_chan_recv(((struct three *)arg)->c, NULL) == 0);
}

static void c_or_d_then_c(void *arg)
{
    struct three *t = arg;
    struct weft_case cases[] = {WEFT_RECV(t->c, NULL), WEFT_RECV(t->d, NULL)};
    CHECK(weft_select(cases, 2, WEFT_FOREVER) == 1);
    CHECK(weft_chan_send(t->e, NULL) == 0);
    CHECK(weft_chan_recv(t->c, NULL) == 0);
}

/* The loser stands before, between and after others in the queue. */
TASK_TEST(loser_leaves)
{
    for (int before = 0; before < 3; before++) {
        struct three t = {weft_chan_new(0, 0), weft_chan_new(0, 0), weft_chan_new(0, 0)};
        uint64_t waiting = 0;
        for (int i = 0; i < 3; i++) {
            CHECK(weft_go(i == before ? c_or_d_then_c : plain_c, &t) == 0);
            await_waiting(++waiting);
        }
        CHECK(weft_chan_send(t.d, NULL) == 0);
        CHECK(weft_chan_recv(t.e, NULL) == 0);
        for (int i = 0; i < 3; i++)
            CHECK(weft_chan_send(t.c, NULL) == 0);
        await_ends();
        weft_chan_release(t.c);
        weft_chan_release(t.d);
        weft_chan_release(t.e);
    }
}

struct ordered {
    struct weft_chan *chan, *other;
    int64_t number;
};

static void select_number(void *arg)
{
    struct ordered *o = arg;
    int64_t v;
    struct weft_case cases[] = {WEFT_RECV(o->other, NULL), WEFT_RECV(o->chan, &v)};
    CHECK(weft_select(cases, 2, WEFT_FOREVER) == 1 && v == o->number);
}

TASK_TEST(selects_queue)
{
    struct weft_chan *c = weft_chan_new(sizeof(int64_t), 0), *d = weft_chan_new(0, 0);
    for (int64_t i = 0; i < 10; i++) {
        struct ordered o = {c, d, i};
        CHECK(weft_go_copy(select_number, &o, sizeof o) == 0);
        await_waiting((uint64_t)i + 1);
    }
    for (int64_t i = 0; i < 10; i++)
        CHECK(weft_chan_send(c, &i) == 0);
    await_ends();
    weft_chan_release(c);
    weft_chan_release(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_moment),         cmocka_unit_test(not_itself),
        cmocka_unit_test(mixed_traffic),      cmocka_unit_test(each_value_once),
        cmocka_unit_test(fair_receives),      cmocka_unit_test(fair_sends),
        cmocka_unit_test(same_channel_twice), cmocka_unit_test(loser_leaves),
        cmocka_unit_test(selects_queue),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
