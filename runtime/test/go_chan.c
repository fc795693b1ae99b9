/*
 * What Go promises of channels (language specification, its own test/chan and chan_test), each in a
 * test of our own.
 *
 *   a receive from an empty channel waits, a try does not                   empty_waits
 *   a send to a full channel waits, a try does not                          full_waits
 *   what is inside a closed channel is received, then zeros                 closed_drains
 *   close ends the wait of every receiver                                   close_ends_receives
 *   values of one sender arrive in order; nothing is lost or doubled        order, many_to_many
 *   len and cap                                                             len_and_cap
 *   make with a size out of range fails                                     bad_sizes
 *   waiting receivers are served in the order in which they came            receivers_queue
 *   waiting senders too, also when the buffer's room passes them on         senders_queue
 *   a value that is inside is found by a try, whoever closes meanwhile      try_against_close
 *   operations on a closed channel, plain and in selects, as often as asked closed_in_each_way
 *   a nil channel waits forever                                             nil_waits
 *   channels of channels                                                    channels_as_values
 *   elements without size                                                   no_size
 *   a chain of ten thousand tasks                                           chain
 *   tries on one side and plain operations on the other meet                tries_meet_waits
 *   many consumers of one channel, results on a second                      consumers
 *   send on closed, close of closed and of nil stop the program             deaths
 */
#include "runtime/test/death.h"

enum { CAPACITIES = 12 };

static void receive_one(void *arg)
{
    int64_t v;
    CHECK(weft_chan_recv(arg, &v) == 0);
}

TASK_TEST(empty_waits)
{
    for (size_t capacity = 0; capacity < CAPACITIES; capacity++) {
        struct weft_chan *c = weft_chan_new(sizeof(int64_t), capacity);
        int64_t v = 5;
        CHECK(weft_go(receive_one, c) == 0 && weft_go(receive_one, c) == 0);
        await_waiting(2);
        CHECK(weft_chan_try_recv(c, &v) == -EAGAIN && v == 5);
        CHECK(weft_chan_send(c, &v) == 0 && weft_chan_send(c, &v) == 0);
        await_ends();
        CHECK(weft_chan_len(c) == 0);
        weft_chan_release(c);
    }
}

struct send_one {
    struct weft_chan *chan;
    int64_t value;
};

static void send_one(void *arg)
{
    struct send_one *s = arg;
    CHECK(weft_chan_send(s->chan, &s->value) == 0);
}

TASK_TEST(full_waits)
{
    for (size_t capacity = 0; capacity < CAPACITIES; capacity++) {
        struct weft_chan *c = weft_chan_new(sizeof(int64_t), capacity);
        int64_t v = 0, n = (int64_t)capacity;
        for (; v < n; v++)
            CHECK(weft_chan_send(c, &v) == 0);
        struct send_one late = {c, n};
        CHECK(weft_go_copy(send_one, &late, sizeof late) == 0);
        await_waiting(1);
        CHECK(weft_chan_try_send(c, &v) == -EAGAIN);
        for (int64_t i = 0; i <= n; i++)
            CHECK(weft_chan_recv(c, &v) == 0 && v == i);
        await_ends();
        weft_chan_release(c);
    }
}

TASK_TEST(closed_drains)
{
    for (size_t capacity = 0; capacity < CAPACITIES; capacity++) {
        struct weft_chan *c = weft_chan_new(sizeof(int64_t), capacity);
        int64_t v, n = (int64_t)capacity;
        for (v = 0; v < n; v++)
            CHECK(weft_chan_send(c, &v) == 0);
        weft_chan_close(c);
        for (int64_t i = 0; i < n; i++)
            CHECK(weft_chan_recv(c, &v) == 0 && v == i);
        for (int i = 0; i < 3; i++) {
            v = 9;
            CHECK(weft_chan_recv(c, &v) == -EPIPE && v == 0);
        }
        weft_chan_release(c);
    }
}

struct closing {
    struct weft_chan *chan, *done;
};

static void see_close(void *arg)
{
    struct closing *c = arg;
    int64_t v = 9;
    int64_t good = weft_chan_recv(c->chan, &v) == -EPIPE && v == 0;
    CHECK(weft_chan_send(c->done, &good) == 0);
}

TASK_TEST(close_ends_receives)
{
    enum { RECEIVERS = 5 };
    for (size_t capacity = 0; capacity < CAPACITIES; capacity++) {
        struct closing c = {weft_chan_new(sizeof(int64_t), capacity),
                            weft_chan_new(sizeof(int64_t), 0)};
        int64_t good;
        for (int i = 0; i < RECEIVERS; i++)
            CHECK(weft_go(see_close, &c) == 0);
        await_waiting(RECEIVERS);
        weft_chan_close(c.chan);
        for (int i = 0; i < RECEIVERS; i++)
            CHECK(weft_chan_recv(c.done, &good) == 0 && good);
        weft_chan_release(c.chan);
        weft_chan_release(c.done);
    }
}

/* ---- order and number ---- */

enum { SENDERS = 4, SENT = 500 };

struct traffic {
    struct weft_chan *chan;
    struct weft_waitgroup wg;
    _Atomic uint32_t got[SENT];
};

static void send_all(void *arg)
{
    struct traffic *t = arg;
    for (int64_t i = 0; i < SENT; i++)
        CHECK(weft_chan_send(t->chan, &i) == 0);
}

static void receive_all(void *arg)
{
    struct traffic *t = arg;
    int64_t v;
    for (int i = 0; i < SENT; i++) {
        CHECK(weft_chan_recv(t->chan, &v) == 0 && v >= 0 && v < SENT);
        t->got[v]++;
    }
}

TASK_TEST(order)
{
    for (size_t capacity = 0; capacity < CAPACITIES; capacity++) {
        struct traffic t = {.chan = weft_chan_new(sizeof(int64_t), capacity)};
        int64_t v;
        CHECK(weft_waitgroup_go(&t.wg, send_all, &t) == 0);
        for (int64_t i = 0; i < SENT; i++)
            CHECK(weft_chan_recv(t.chan, &v) == 0 && v == i);
        weft_waitgroup_wait(&t.wg);
        weft_chan_release(t.chan);
    }
}

TASK_TEST(many_to_many)
{
    for (size_t capacity = 0; capacity < CAPACITIES; capacity++) {
        struct traffic t = {.chan = weft_chan_new(sizeof(int64_t), capacity)};
        for (int i = 0; i < SENDERS; i++) {
            CHECK(weft_waitgroup_go(&t.wg, send_all, &t) == 0);
            CHECK(weft_waitgroup_go(&t.wg, receive_all, &t) == 0);
        }
        weft_waitgroup_wait(&t.wg);
        for (int i = 0; i < SENT; i++)
            CHECK(t.got[i] == SENDERS);
        weft_chan_release(t.chan);
    }
}

TASK_TEST(len_and_cap)
{
    for (size_t capacity = 0; capacity < CAPACITIES; capacity++) {
        struct weft_chan *c = weft_chan_new(sizeof(int64_t), capacity);
        int64_t v = 0;
        CHECK(weft_chan_len(c) == 0 && weft_chan_cap(c) == capacity);
        for (size_t i = 1; i <= capacity; i++) {
            CHECK(weft_chan_send(c, &v) == 0);
            CHECK(weft_chan_len(c) == i && weft_chan_cap(c) == capacity);
        }
        weft_chan_close(c);
        CHECK(weft_chan_len(c) == capacity);
        weft_chan_release(c);
    }
}

static void bad_sizes(void **state)
{
    (void)state;
    assert_null(weft_chan_new(8, SIZE_MAX));
    assert_null(weft_chan_new(8, SIZE_MAX / 8));
    assert_null(weft_chan_new(SIZE_MAX, 1));
    assert_null(weft_chan_new(1, SIZE_MAX - 10));
    assert_null(weft_chan_new((size_t)1 << 32, (size_t)1 << 32));
}

/* ---- who waits is served in order ---- */

enum { QUEUED = 10 };

struct numbered {
    struct weft_chan *chan;
    int64_t number;
};

static void expect_number(void *arg)
{
    struct numbered *n = arg;
    int64_t v;
    CHECK(weft_chan_recv(n->chan, &v) == 0 && v == n->number);
}

TASK_TEST(receivers_queue)
{
    for (size_t capacity = 0; capacity < 3; capacity++) {
        struct weft_chan *c = weft_chan_new(sizeof(int64_t), capacity);
        for (int64_t i = 0; i < QUEUED; i++) {
            struct numbered n = {c, i};
            CHECK(weft_go_copy(expect_number, &n, sizeof n) == 0);
            await_waiting((uint64_t)i + 1);
        }
        for (int64_t i = 0; i < QUEUED; i++)
            CHECK(weft_chan_send(c, &i) == 0);
        await_ends();
        weft_chan_release(c);
    }
}

TASK_TEST(senders_queue)
{
    for (size_t capacity = 0; capacity < 3; capacity++) {
        struct weft_chan *c = weft_chan_new(sizeof(int64_t), capacity);
        int64_t v, n = (int64_t)capacity;
        for (int64_t i = 0; i < QUEUED + n; i++) {
            struct send_one s = {c, i};
            if (i < n)
                CHECK(weft_chan_send(c, &i) == 0);
            else
                CHECK(weft_go_copy(send_one, &s, sizeof s) == 0);
            await_waiting(i < n ? 0 : (uint64_t)(i - n) + 1);
        }
        for (int64_t i = 0; i < QUEUED + n; i++)
            CHECK(weft_chan_recv(c, &v) == 0 && v == i);
        await_ends();
        weft_chan_release(c);
    }
}

/* ---- closed channels ---- */

struct raced {
    struct weft_chan *chan;
    struct weft_waitgroup wg;
    _Atomic int found;
};

static void try_once(void *arg)
{
    struct raced *r = arg;
    int r1 = weft_chan_try_recv(r->chan, NULL);
    CHECK(r1 == 0 || r1 == -EPIPE);
    r->found += r1 == 0;
}

TASK_TEST(try_against_close)
{
    for (int i = 0; i < 500; i++) {
        struct raced r = {.chan = weft_chan_new(sizeof(int64_t), 1)};
        int64_t v = 1;
        CHECK(weft_chan_send(r.chan, &v) == 0);
        CHECK(weft_waitgroup_go(&r.wg, try_once, &r) == 0);
        weft_chan_close(r.chan);
        int mine = weft_chan_recv(r.chan, &v) == 0;
        weft_waitgroup_wait(&r.wg);
        CHECK(mine + r.found == 1 && v == mine);
        weft_chan_release(r.chan);
    }
}

/* Receives in one of several ways: plain, tried, in a select alone or beside another case, with and
 * without a default. */
enum { WAYS = 6 };

static int receive_by(int way, struct weft_chan *c, int64_t *v)
{
    struct weft_chan *dummy = weft_chan_new(0, 0);
    struct weft_case cases[] = {WEFT_RECV(c, v), WEFT_RECV(dummy, NULL), WEFT_DEFAULT};
    struct weft_case both[] = {WEFT_RECV(c, v), WEFT_DEFAULT};
    int r;
    switch (way) {
    case 0:
        r = weft_chan_recv(c, v);
        break;
    case 1:
        r = weft_chan_try_recv(c, v);
        break;
    case 2:
    case 3:
        CHECK(weft_select(cases, way == 2 ? 1 : 2, WEFT_FOREVER) == 0);
        r = cases[0].ok ? 0 : -EPIPE;
        break;
    case 4:
        CHECK(weft_select(cases, 3, WEFT_FOREVER) == 0);
        r = cases[0].ok ? 0 : -EPIPE;
        break;
    default:
        CHECK(weft_select(both, 2, WEFT_FOREVER) == 0);
        r = both[0].ok ? 0 : -EPIPE;
    }
    weft_chan_release(dummy);
    return r;
}

TASK_TEST(closed_in_each_way)
{
    for (int first = 0; first < WAYS; first++) {
        struct weft_chan *empty = weft_chan_new(sizeof(int64_t), 0);
        struct weft_chan *filled = weft_chan_new(sizeof(int64_t), 2);
        int64_t v = 1;
        CHECK(weft_chan_send(filled, &v) == 0);
        weft_chan_close(empty);
        weft_chan_close(filled);
        v = 7;
        CHECK(receive_by(first, filled, &v) == 0 && v == 1);
        for (int way = 0; way < WAYS; way++) {
            v = 7;
            CHECK(receive_by(way, filled, &v) == -EPIPE && v == 0);
            v = 7;
            CHECK(receive_by(way, empty, &v) == -EPIPE && v == 0);
        }
        weft_chan_release(empty);
        weft_chan_release(filled);
    }
}

/* ---- the rest ---- */

static void wait_for_nothing(void *arg)
{
    if (arg)
        weft_chan_send(NULL, NULL);
    else
        weft_chan_recv(NULL, NULL);
    CHECK(!"it went on");
}

TASK_TEST(nil_waits)
{
    int any;
    CHECK(weft_go(wait_for_nothing, &any) == 0 && weft_go(wait_for_nothing, NULL) == 0);
    await_waiting(2);
    for (int i = 0; i < 100; i++)
        weft_yield();
    await_waiting(2);
}

static void answer(void *arg)
{
    struct weft_chan *questions = arg, *reply;
    for (int64_t n = 1; weft_chan_recv(questions, &reply) == 0; n++) {
        CHECK(weft_chan_send(reply, &n) == 0);
        weft_chan_release(reply);
    }
    weft_chan_release(questions);
}

TASK_TEST(channels_as_values)
{
    struct weft_chan *questions = weft_chan_new(sizeof(struct weft_chan *), 1);
    CHECK(weft_go(answer, weft_chan_retain(questions)) == 0);
    for (int64_t i = 1; i <= 50; i++) {
        struct weft_chan *reply = weft_chan_new(sizeof(int64_t), 1);
        struct weft_chan *theirs = weft_chan_retain(reply);
        int64_t v;
        CHECK(weft_chan_send(questions, &theirs) == 0);
        CHECK(weft_chan_recv(reply, &v) == 0 && v == i);
        weft_chan_release(reply);
    }
    weft_chan_close(questions);
    weft_chan_release(questions);
}

TASK_TEST(no_size)
{
    struct weft_chan *c = weft_chan_new(0, 3);
    char untouched = 'x';
    for (int i = 0; i < 3; i++)
        CHECK(weft_chan_try_send(c, NULL) == 0);
    CHECK(weft_chan_try_send(c, NULL) == -EAGAIN && weft_chan_len(c) == 3);
    weft_chan_close(c);
    for (int i = 0; i < 3; i++)
        CHECK(weft_chan_recv(c, &untouched) == 0);
    CHECK(weft_chan_recv(c, &untouched) == -EPIPE && untouched == 'x');
    weft_chan_release(c);
}

struct link {
    struct weft_chan *from, *to;
};

static void pass_on(void *arg)
{
    struct link *l = arg;
    int64_t v;
    CHECK(weft_chan_recv(l->from, &v) == 0);
    v++;
    CHECK(weft_chan_send(l->to, &v) == 0);
    weft_chan_release(l->from);
}

TASK_TEST(chain)
{
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
    enum { LINKS = 2000 };
#else
    enum { LINKS = 10000 };
#endif
    struct weft_chan *first = weft_chan_new(sizeof(int64_t), 0), *last = first;
    int64_t v = 0;
    for (int i = 0; i < LINKS; i++) {
        struct link l = {.from = last, .to = weft_chan_new(sizeof(int64_t), 0)};
        CHECK(weft_go_copy(pass_on, &l, sizeof l) == 0);
        last = l.to;
    }
    CHECK(weft_chan_send(first, &v) == 0);
    CHECK(weft_chan_recv(last, &v) == 0 && v == LINKS);
    weft_chan_release(last);
}

enum { TRIED = 200 };

static void receive_plainly(void *arg)
{
    struct weft_chan *c = arg;
    int64_t v;
    for (int64_t i = 0; i < TRIED; i++)
        CHECK(weft_chan_recv(c, &v) == 0 && v == i);
}

static void send_plainly(void *arg)
{
    for (int64_t i = 0; i < TRIED; i++)
        CHECK(weft_chan_send(arg, &i) == 0);
}

TASK_TEST(tries_meet_waits)
{
    for (size_t capacity = 0; capacity < 2; capacity++) {
        struct weft_chan *c = weft_chan_new(sizeof(int64_t), capacity);
        struct weft_waitgroup wg = {0};
        int64_t v;
        CHECK(weft_waitgroup_go(&wg, receive_plainly, c) == 0);
        for (int64_t i = 0; i < TRIED; i++) {
            while (weft_chan_try_send(c, &i) == -EAGAIN)
                weft_yield();
        }
        weft_waitgroup_wait(&wg);
        CHECK(weft_waitgroup_go(&wg, send_plainly, c) == 0);
        for (int64_t i = 0; i < TRIED; i++) {
            while (weft_chan_try_recv(c, &v) == -EAGAIN)
                weft_yield();
            CHECK(v == i);
        }
        weft_waitgroup_wait(&wg);
        weft_chan_release(c);
    }
}

enum { CONSUMERS = 23, ITEMS = 5000 };

struct factory {
    struct weft_chan *in, *out;
    struct weft_waitgroup consumers;
};

static void consume(void *arg)
{
    struct factory *f = arg;
    int64_t v;
    while (weft_chan_recv(f->in, &v) == 0) {
        if (v % 7 == (int64_t)weft_id() % 7)
            weft_yield();
        CHECK(weft_chan_send(f->out, &v) == 0);
    }
}

static void feed(void *arg)
{
    struct factory *f = arg;
    for (int64_t i = 0; i < ITEMS; i++)
        CHECK(weft_chan_send(f->in, &i) == 0);
    weft_chan_close(f->in);
    weft_waitgroup_wait(&f->consumers);
    weft_chan_close(f->out);
}

TASK_TEST(consumers)
{
    struct factory f = {.in = weft_chan_new(sizeof(int64_t), (size_t)CONSUMERS * 3),
                        .out = weft_chan_new(sizeof(int64_t), (size_t)CONSUMERS * 3)};
    int64_t v, count = 0, sum = 0;
    for (int i = 0; i < CONSUMERS; i++)
        CHECK(weft_waitgroup_go(&f.consumers, consume, &f) == 0);
    CHECK(weft_go(feed, &f) == 0);
    while (weft_chan_recv(f.out, &v) == 0) {
        count++;
        sum += v;
    }
    CHECK(count == ITEMS && sum == (int64_t)ITEMS * (ITEMS - 1) / 2);
    weft_chan_release(f.in);
    weft_chan_release(f.out);
}

/* ---- deaths ---- */

static void try_send_on_closed(void *arg)
{
    (void)arg;
    struct weft_chan *c = weft_chan_new(0, 2);
    weft_chan_close(c);
    weft_chan_try_send(c, NULL);
}

static void select_with_default_on_closed(void *arg)
{
    (void)arg;
    struct weft_chan *c = weft_chan_new(0, 0);
    weft_chan_close(c);
    struct weft_case cases[] = {WEFT_SEND(c, NULL), WEFT_DEFAULT};
    weft_select(cases, 2, WEFT_FOREVER);
}

static void close_nil(void *arg)
{
    (void)arg;
    weft_chan_close(NULL);
}

static void close_with_values_twice(void *arg)
{
    (void)arg;
    struct weft_chan *c = weft_chan_new(0, 1);
    weft_chan_send(c, NULL);
    weft_chan_close(c);
    weft_chan_close(c);
}

static const struct death all_deaths[] = {
    {try_send_on_closed, "weft: send on closed channel"},
    {select_with_default_on_closed, "weft: send on closed channel"},
    {close_nil, "weft: close of nil channel"},
    {close_with_values_twice, "weft: close of closed channel"},
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
        cmocka_unit_test(empty_waits),
        cmocka_unit_test(full_waits),
        cmocka_unit_test(closed_drains),
        cmocka_unit_test(close_ends_receives),
        cmocka_unit_test(order),
        cmocka_unit_test(many_to_many),
        cmocka_unit_test(len_and_cap),
        cmocka_unit_test(bad_sizes),
        cmocka_unit_test(receivers_queue),
        cmocka_unit_test(senders_queue),
        cmocka_unit_test(try_against_close),
        cmocka_unit_test(closed_in_each_way),
        cmocka_unit_test(nil_waits),
        cmocka_unit_test(channels_as_values),
        cmocka_unit_test(no_size),
        cmocka_unit_test(chain),
        cmocka_unit_test(tries_meet_waits),
        cmocka_unit_test(consumers),
        cmocka_unit_test(deaths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
