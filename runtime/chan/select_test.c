/* Select chooses as Go's does: what is ready, at random; else default, else it waits. */
#include "runtime/test/check.h"

TASK_TEST(default_when_nothing_is_ready)
{
    int v = 1;
    struct weft_chan *a = weft_chan_new(sizeof v, 0), *b = weft_chan_new(sizeof v, 1);
    struct weft_case cases[] = {WEFT_RECV(a, &v), WEFT_DEFAULT, WEFT_RECV(b, &v)};
    CHECK(weft_select(cases, 3, WEFT_FOREVER) == 1);
    weft_chan_send(b, &v);
    CHECK(weft_select(cases, 3, WEFT_FOREVER) == 2 && cases[2].ok == 1);
    weft_chan_close(a);
    v = 9;
    CHECK(weft_select(cases, 3, WEFT_FOREVER) == 0 && cases[0].ok == 0 && v == 0);
    struct weft_case one[] = {WEFT_DEFAULT, WEFT_RECV(b, &v)};
    CHECK(weft_select(one, 2, WEFT_FOREVER) == 0);
    CHECK(weft_select(one, 1, WEFT_FOREVER) == 0);
    weft_chan_release(a);
    weft_chan_release(b);
}

TASK_TEST(time_limit)
{
    struct weft_chan *c = weft_chan_new(0, 0);
    struct weft_case cases[] = {WEFT_RECV(c, NULL), WEFT_SEND(c, NULL), WEFT_RECV(NULL, NULL)};
    int64_t before = weft_now();
    CHECK(weft_select(cases, 3, 3 * WEFT_MS) == -ETIMEDOUT);
    CHECK(weft_now() - before >= 3 * WEFT_MS);
    CHECK(weft_select(cases, 3, 0) == -ETIMEDOUT);
    CHECK(weft_select(NULL, 0, WEFT_MS) == -ETIMEDOUT);
    CHECK(weft_chan_try_send(c, NULL) == -EAGAIN); /* nothing of the select is left behind */
    weft_chan_release(c);
}

TASK_TEST(bad_arguments)
{
    struct weft_case two[] = {WEFT_DEFAULT, WEFT_DEFAULT};
    CHECK(weft_select(two, 2, 0) == -EINVAL);
    struct weft_case none[] = {{(enum weft_case_kind)7, NULL, NULL, 0}};
    CHECK(weft_select(none, 1, 0) == -EINVAL);
    CHECK(weft_select(none, 65537, 0) == -EINVAL);
}

/* Of several ready ones each is chosen in its share: six deviations allowed. */
TASK_TEST(is_fair)
{
    enum { N = 4, ROUNDS = 20000 };
    struct weft_chan *c[N];
    struct weft_case cases[N + 1];
    int hits[N] = {0};
    for (int i = 0; i < N; i++) {
        c[i] = weft_chan_new(0, 1);
        weft_chan_close(c[i]);
        cases[i] = (struct weft_case)WEFT_RECV(c[i], NULL);
    }
    cases[N] = (struct weft_case)WEFT_RECV(NULL, NULL);
    for (int i = 0; i < ROUNDS; i++)
        hits[weft_select(cases, N + 1, WEFT_FOREVER)]++;
    for (int i = 0; i < N; i++) {
        CHECK(hits[i] > ROUNDS / N - 6 * 62 && hits[i] < ROUNDS / N + 6 * 62);
        weft_chan_release(c[i]);
    }
}

enum { PAIRS = 4, PER_SENDER = 3000 };

struct side {
    struct weft_chan **chans;
    struct weft_waitgroup *wg;
    _Atomic int64_t *sum;
    int number;
};

/* Sends numbers on whichever channel has a receiver. */
static void select_sender(void *arg)
{
    struct side *side = arg;
    for (int64_t i = 0; i < PER_SENDER; i++) {
        int64_t v = side->number * PER_SENDER + i;
        struct weft_case cases[PAIRS];
        for (int k = 0; k < PAIRS; k++)
            cases[k] = (struct weft_case)WEFT_SEND(side->chans[k], &v);
        int r = weft_select(cases, PAIRS, WEFT_FOREVER);
        CHECK(r >= 0 && cases[r].ok == 1);
    }
    weft_waitgroup_done(side->wg);
}

static void select_receiver(void *arg)
{
    struct side *side = arg;
    for (int64_t i = 0; i < PER_SENDER; i++) {
        int64_t v = -1;
        struct weft_case cases[PAIRS];
        for (int k = 0; k < PAIRS; k++) /* in another order */
            cases[k] = (struct weft_case)WEFT_RECV(side->chans[PAIRS - 1 - k], &v);
        int r = weft_select(cases, PAIRS, WEFT_FOREVER);
        CHECK(r >= 0 && cases[r].ok == 1 && v >= 0);
        *side->sum += v;
    }
    weft_waitgroup_done(side->wg);
}

/* Selects on both ends, across workers: each value arrives once. */
TASK_TEST(both_sides_select)
{
    struct weft_chan *chans[PAIRS];
    struct weft_waitgroup wg = {0};
    struct side sides[PAIRS];
    _Atomic int64_t sum = 0;
    for (int i = 0; i < PAIRS; i++)
        chans[i] = weft_chan_new(sizeof(int64_t), i == 0 ? 2 : 0);
    weft_waitgroup_add(&wg, (int64_t)2 * PAIRS);
    for (int i = 0; i < PAIRS; i++) {
        sides[i] = (struct side){chans, &wg, &sum, i};
        weft_go(select_sender, &sides[i]);
        weft_go(select_receiver, &sides[i]);
    }
    weft_waitgroup_wait(&wg);
    int64_t n = (int64_t)PAIRS * PER_SENDER;
    CHECK(sum == n * (n - 1) / 2);
    for (int i = 0; i < PAIRS; i++)
        weft_chan_release(chans[i]);
}

static void close_it(void *arg)
{
    weft_chan_close(arg);
}

/* Many cases, one channel several times, and a close as what ends the wait. */
TASK_TEST(many_cases)
{
    enum { N = 40 };
    struct weft_chan *c[N];
    struct weft_case cases[2 * N];
    for (int i = 0; i < N; i++) {
        c[i] = weft_chan_new(sizeof(int), 0);
        cases[i] = (struct weft_case)WEFT_RECV(c[i], NULL);
        cases[N + i] = (struct weft_case)WEFT_RECV(c[i], NULL);
    }
    for (int i = 0; i < N; i++) {
        weft_go(close_it, c[i]);
        int r = weft_select(cases, 2 * N, WEFT_FOREVER);
        CHECK(r % N == i && cases[r].ok == 0);
        cases[i].chan = cases[N + i].chan = NULL;
    }
    for (int i = 0; i < N; i++)
        weft_chan_release(c[i]);
}

static struct {
    struct weft_chan *in[2];
    _Atomic int over, gone;
} token;

static void move_token(void *arg)
{
    (void)arg;
    int v = 0;
    for (int at = 0, n = 0; !token.over; at = 1 - at, n++) {
        if (n % 64 == 0)
            weft_yield();
        CHECK(weft_chan_try_send(token.in[1 - at], &v) == 0);
        while (weft_chan_try_recv(token.in[at], NULL) != 0)
            weft_yield(); /* the other task has taken it out, and puts it back */
    }
    token.gone = 1;
}

/* At each moment one of two channels has something inside, though not always the same: then default
 * is not chosen. The cases between give the other task time to change both. */
TASK_TEST(default_sees_all_cases_at_once)
{
    enum { N = 100 };
    struct weft_case cases[N];
    struct weft_chan *empty = weft_chan_new(0, 1);
    int v = 0, other;
    for (int i = 0; i < 2; i++)
        token.in[i] = weft_chan_new(sizeof v, 4);
    for (int i = 1; i < N - 1; i++)
        cases[i] = (struct weft_case)WEFT_RECV(empty, NULL);
    cases[0] = (struct weft_case)WEFT_RECV(token.in[0], &other);
    cases[N / 2] = (struct weft_case)WEFT_DEFAULT;
    cases[N - 1] = (struct weft_case)WEFT_RECV(token.in[1], &other);
    token.over = token.gone = 0;
    weft_chan_send(token.in[0], &v);
    weft_go(move_token, NULL);
    for (int i = 0; i < 10000; i++) {
        int r = weft_select(cases, N, WEFT_FOREVER);
        CHECK(r == 0 || r == N - 1);
        CHECK(weft_chan_try_send(token.in[r != 0], &v) == 0);
        if (i % 64 == 0)
            weft_yield();
    }
    token.over = 1;
    while (!token.gone)
        weft_yield();
    for (int i = 0; i < 2; i++)
        weft_chan_release(token.in[i]);
    weft_chan_release(empty);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(default_when_nothing_is_ready),
        cmocka_unit_test(time_limit),
        cmocka_unit_test(bad_arguments),
        cmocka_unit_test(is_fair),
        cmocka_unit_test(both_sides_select),
        cmocka_unit_test(many_cases),
        cmocka_unit_test(default_sees_all_cases_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
