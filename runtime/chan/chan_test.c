/* Channels behave as Go's language specification says. */
#include <stdatomic.h>

#include "runtime/test/check.h"

enum { ITEMS = 2000 };

static struct weft_chan *done;

static void finished(void)
{
    CHECK(weft_chan_send(done, NULL) == 0);
}

static void produce(void *arg)
{
    for (int64_t i = 0; i < ITEMS; i++)
        CHECK(weft_chan_send(arg, &i) == 0);
    weft_chan_close(arg);
}

/* One producer's values arrive in order, each once, and then the end. */
TASK_TEST(keeps_order)
{
    static const size_t capacities[] = {0, 1, 7, ITEMS};
    for (size_t k = 0; k < 4; k++) {
        struct weft_chan *c = weft_chan_new(sizeof(int64_t), capacities[k]);
        CHECK(weft_chan_cap(c) == capacities[k]);
        weft_go(produce, c);
        int64_t v;
        for (int64_t i = 0; i < ITEMS; i++)
            CHECK(weft_chan_recv(c, &v) == 0 && v == i);
        CHECK(weft_chan_recv(c, &v) == -EPIPE && v == 0);
        weft_chan_release(c);
    }
}

TASK_TEST(try_does_not_wait)
{
    int64_t v = 7;
    struct weft_chan *c = weft_chan_new(sizeof v, 2);
    CHECK(weft_chan_try_recv(c, &v) == -EAGAIN && v == 7);
    CHECK(weft_chan_try_send(c, &v) == 0);
    CHECK(weft_chan_try_send(c, &v) == 0);
    CHECK(weft_chan_len(c) == 2);
    CHECK(weft_chan_try_send(c, &v) == -EAGAIN);
    CHECK(weft_chan_try_recv(c, &v) == 0 && v == 7);
    CHECK(weft_chan_len(c) == 1);
    weft_chan_release(c);
    c = weft_chan_new(sizeof v, 0);
    CHECK(weft_chan_try_send(c, &v) == -EAGAIN);
    CHECK(weft_chan_try_recv(c, &v) == -EAGAIN);
    weft_chan_release(c);
}

TASK_TEST(nil_channel_is_never_ready)
{
    CHECK(weft_chan_try_send(NULL, NULL) == -EAGAIN);
    CHECK(weft_chan_try_recv(NULL, NULL) == -EAGAIN);
    CHECK(weft_chan_len(NULL) == 0 && weft_chan_cap(NULL) == 0);
    weft_chan_release(NULL);
}

/* What is inside when it is closed is received first. */
TASK_TEST(close_keeps_what_is_inside)
{
    struct weft_chan *c = weft_chan_new(sizeof(int), 3);
    for (int i = 1; i <= 3; i++)
        weft_chan_send(c, &i);
    weft_chan_close(c);
    int v;
    for (int i = 1; i <= 3; i++)
        CHECK(weft_chan_recv(c, &v) == 0 && v == i);
    CHECK(weft_chan_recv(c, &v) == -EPIPE && v == 0);
    CHECK(weft_chan_try_recv(c, &v) == -EPIPE);
    weft_chan_release(c);
}

static void expect_close(void *arg)
{
    int v = 5;
    CHECK(weft_chan_recv(arg, &v) == -EPIPE && v == 0);
    finished();
}

TASK_TEST(close_wakes_every_receiver)
{
    done = weft_chan_new(0, 0);
    struct weft_chan *c = weft_chan_new(sizeof(int), 0);
    for (int i = 0; i < 100; i++)
        weft_go(expect_close, c);
    for (int i = 0; i < 10; i++)
        weft_yield();
    weft_chan_close(c);
    for (int i = 0; i < 100; i++)
        weft_chan_recv(done, NULL);
    weft_chan_release(c);
    weft_chan_release(done);
}

static atomic_int left;

static void wait_and_let_go(void *arg)
{
    CHECK(weft_chan_recv(arg, NULL) == -EPIPE);
    if (--left == 0)
        weft_chan_release(arg);
}

static void close_it(void *arg)
{
    weft_chan_close(arg);
}

/* More than are woken at a time. The last one that comes away frees it: whoever closes it owns
 * nothing of it. */
TASK_TEST(close_among_very_many)
{
    static const int counts[] = {1, 63, 64, 65, 127, 128, 128, 192, 400};
    for (size_t k = 0; k < sizeof counts / sizeof *counts; k++) {
        int count = counts[k];
        struct weft_chan *c = weft_chan_new(sizeof(int), 0);
        left = count;
        for (int i = 0; i < count; i++)
            CHECK(weft_go(wait_and_let_go, c) == 0);
        await_waiting((uint64_t)count);
        CHECK(weft_go(close_it, c) == 0);
        await_ends();
        CHECK(left == 0);
    }
}

/* A value larger than a register, without one, and dropped by the receiver. */
struct big {
    char bytes[300];
};

static void send_big(void *arg)
{
    struct big b;
    memset(b.bytes, 'x', sizeof b.bytes);
    for (int i = 0; i < 3; i++)
        weft_chan_send(arg, &b);
}

TASK_TEST(element_sizes)
{
    for (size_t capacity = 0; capacity < 3; capacity++) {
        struct weft_chan *c = weft_chan_new(sizeof(struct big), capacity);
        struct big b = {{0}};
        weft_go(send_big, c);
        CHECK(weft_chan_recv(c, &b) == 0 && b.bytes[0] == 'x' && b.bytes[299] == 'x');
        CHECK(weft_chan_recv(c, NULL) == 0);
        CHECK(weft_chan_recv(c, &b) == 0 && b.bytes[150] == 'x');
        weft_chan_release(c);
    }
    CHECK(weft_chan_new(SIZE_MAX / 2, 3) == NULL);
    CHECK(weft_chan_new(1, SIZE_MAX) == NULL);
}

struct turn {
    struct weft_chan *chan, *order;
    int number;
};

static void take_turn(void *arg)
{
    struct turn *turn = arg;
    int v;
    CHECK(weft_chan_recv(turn->chan, &v) == 0);
    CHECK(v == turn->number);
    finished();
}

/* Receivers are served in the order in which they came. */
TASK_TEST(fifo)
{
    enum { N = 50 };
    static struct turn turns[N];
    done = weft_chan_new(0, N);
    struct weft_chan *c = weft_chan_new(sizeof(int), 0);
    for (int i = 0; i < N; i++) {
        turns[i] = (struct turn){.chan = c, .number = i};
        weft_go(take_turn, &turns[i]);
        await_waiting((uint64_t)i + 1);
    }
    for (int i = 0; i < N; i++)
        weft_chan_send(c, &i);
    for (int i = 0; i < N; i++)
        weft_chan_recv(done, NULL);
    weft_chan_release(c);
    weft_chan_release(done);
}

static void sieve_filter(void *arg)
{
    struct weft_chan **ends = arg;
    int prime, n;
    CHECK(weft_chan_recv(ends[0], &prime) == 0);
    while (weft_chan_recv(ends[0], &n) == 0) {
        if (n % prime != 0)
            weft_chan_send(ends[1], &n);
    }
    weft_chan_close(ends[1]);
}

static void numbers(void *arg)
{
    for (int i = 2; i < 300; i++)
        weft_chan_send(arg, &i);
    weft_chan_close(arg);
}

/* The prime sieve of Go's test/chan/sieve1.go: a chain of tasks that grows as it works. */
TASK_TEST(sieve)
{
    enum { PRIMES = 62 }; /* below 300 */
    struct weft_chan *c[PRIMES + 1], *ends[PRIMES][2];
    for (int i = 0; i <= PRIMES; i++)
        c[i] = weft_chan_new(sizeof(int), (size_t)i % 2);
    weft_go(numbers, c[0]);
    for (int i = 0; i < PRIMES; i++) {
        ends[i][0] = c[i];
        ends[i][1] = c[i + 1];
        weft_go_copy(sieve_filter, ends[i], sizeof ends[i]);
    }
    CHECK(weft_chan_recv(c[PRIMES], NULL) == -EPIPE);
    for (int i = 0; i <= PRIMES; i++)
        weft_chan_release(c[i]);
}

struct ends {
    struct weft_chan *c;
    struct weft_waitgroup wg;
};

static void send_bytes(void *arg)
{
    struct ends *e = arg;
    unsigned char bytes[40];
    for (unsigned i = 0; i < 8; i++) {
        memset(bytes, (int)i + 1, sizeof bytes);
        CHECK(weft_chan_send(e->c, bytes) == 0);
    }
    weft_waitgroup_done(&e->wg);
}

/* By hand, and through the buffer, round its end too; and not a byte more than the element. */
TASK_TEST(elements_of_every_size)
{
    for (size_t size = 0; size <= 33; size++) {
        for (size_t capacity = 0; capacity <= 3; capacity++) {
            struct ends e = {.c = weft_chan_new(size, capacity)};
            unsigned char bytes[41];
            weft_waitgroup_add(&e.wg, 1);
            weft_go(send_bytes, &e);
            for (unsigned i = 0; i < 8; i++) {
                memset(bytes, 0xee, sizeof bytes);
                CHECK(weft_chan_recv(e.c, i == 3 ? NULL : bytes) == 0);
                for (size_t k = 0; k < sizeof bytes; k++)
                    CHECK(bytes[k] == (k < size && i != 3 ? i + 1 : 0xee));
            }
            weft_waitgroup_wait(&e.wg);
            weft_chan_release(e.c);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_of_every_size),
        cmocka_unit_test(keeps_order),
        cmocka_unit_test(try_does_not_wait),
        cmocka_unit_test(nil_channel_is_never_ready),
        cmocka_unit_test(close_keeps_what_is_inside),
        cmocka_unit_test(close_wakes_every_receiver),
        cmocka_unit_test(close_among_very_many),
        cmocka_unit_test(element_sizes),
        cmocka_unit_test(fifo),
        cmocka_unit_test(sieve),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
