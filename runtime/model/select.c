/*
 * Channels and selects: of those that may wake a task one does, a value goes over once, nobody
 * sleeps who has a partner, and the stack of a task is not read after it went on. Those with a time
 * limit are timed.c.
 */
#include "runtime/model/tasks.h"

static void send_a_or_recv_b(void)
{
    uint64_t one = 1, in;
    struct weft_case cases[] = {WEFT_SEND(channels[0], &one), WEFT_RECV(channels[1], &in)};
    do_select(cases, 2, WEFT_FOREVER);
}

static void recv_a_or_send_b(void)
{
    uint64_t two = 2, in;
    struct weft_case cases[] = {WEFT_SEND(channels[1], &two), WEFT_RECV(channels[0], &in)};
    do_select(cases, 2, WEFT_FOREVER);
}

static void both_select(void)
{
    begin(0, (void (*const[])(void)){send_a_or_recv_b, recv_a_or_send_b}, 2);
}

static void recv_either_then_other(void)
{
    uint64_t in;
    struct weft_case cases[] = {WEFT_RECV(channels[0], &in), WEFT_RECV(channels[1], &in)};
    int r = do_select(cases, 2, WEFT_FOREVER);
    EX_CHECK(do_recv(1 - (unsigned)r) == 0);
}

static void send_a(void)
{
    do_send(0, 3);
}

static void send_b(void)
{
    do_send(1, 4);
}

static void two_senders(void)
{
    begin(0, (void (*const[])(void)){recv_either_then_other, send_a, send_b}, 3);
}

static void recv_until_closed(void)
{
    uint64_t in;
    struct weft_case cases[] = {WEFT_RECV(channels[0], &in), WEFT_RECV(channels[1], &in)};
    for (;;) {
        int r = do_select(cases, 2, WEFT_FOREVER);
        if (!cases[r].ok) {
            EX_CHECK(r == 0 && in == 0);
            break;
        }
        cases[1].chan = NULL;
    }
    if (cases[1].chan)
        EX_CHECK(do_recv(1) == 0);
}

static void close_a(void)
{
    weft_chan_close(channels[0]);
}

static void closed_meanwhile(void)
{
    begin(0, (void (*const[])(void)){recv_until_closed, close_a, send_b}, 3);
}

static void send_two(void)
{
    do_send(0, 5);
    do_send(0, 6);
}

static void recv_plainly(void)
{
    EX_CHECK(do_recv(0) == 0);
}

static void recv_by_select(void)
{
    uint64_t in;
    struct weft_case cases[] = {WEFT_RECV(channels[1], &in), WEFT_RECV(channels[0], &in)};
    EX_CHECK(do_select(cases, 2, WEFT_FOREVER) == 1);
}

static void shared_unbuffered(void)
{
    begin(0, (void (*const[])(void)){send_two, recv_plainly, recv_by_select}, 3);
}

static void shared_buffered(void)
{
    begin(1, (void (*const[])(void)){send_two, recv_plainly, recv_by_select}, 3);
}

/* One of two channels can be received from all the time, so the default is never chosen. */
static void recv_or_default(void)
{
    uint64_t in;
    struct weft_case cases[] = {WEFT_RECV(channels[1], &in), WEFT_RECV(channels[0], &in),
                                WEFT_DEFAULT};
    EX_CHECK(do_select(cases, 3, WEFT_FOREVER) != 2 && "a select is not of one moment");
}

static void fill_b_empty_a(void)
{
    uint64_t in;
    do_send(1, 4);
    if (weft_chan_try_recv(channels[0], &in) == 0)
        received[in]++;
}

static void close_b_empty_a(void)
{
    uint64_t in;
    weft_chan_close(channels[1]);
    if (weft_chan_try_recv(channels[0], &in) == 0)
        received[in]++;
}

static void with_a_value(void (*other)(void))
{
    begin(1, (void (*const[])(void)){recv_or_default, other}, 2);
    uint64_t seven = 7;
    memcpy(channels[0]->buffer, &seven, sizeof seven);
    channels[0]->count = 1;
    sent[7] = 1;
}

static void one_moment(void)
{
    with_a_value(fill_b_empty_a);
}

static void one_moment_closed(void)
{
    with_a_value(close_b_empty_a);
}

/* A value is inside until one of them has it: a try that finds none is wrong but after the other.
 */
static void try_once(void)
{
    uint64_t in;
    int r = weft_chan_try_recv(channels[0], &in);
    EX_CHECK(r == 0 || r == -EPIPE);
    received[7] += r == 0;
}

static void close_and_recv(void)
{
    uint64_t in = 1;
    weft_chan_close(channels[0]);
    int r = weft_chan_recv(channels[0], &in);
    EX_CHECK(r == 0 || (r == -EPIPE && in == 0));
    received[7] += r == 0;
}

static void try_against_close(void)
{
    with_a_value(close_and_recv);
    bodies[0] = try_once;
}

int main(int argc, char **argv)
{
    static const struct ex_scenario all[] = {
        {"locks_crossed", both_select, nothing_stuck, end, 1},
        {"both_select", both_select, nothing_stuck, end, 3},
        {"two_senders", two_senders, nothing_stuck, end, 2},
        {"closed_meanwhile", closed_meanwhile, nothing_stuck, end, 2},
        {"one_moment", one_moment, nothing_stuck, end_with_values, 3},
        {"one_moment_closed", one_moment_closed, nothing_stuck, end_with_values, 3},
        {"try_against_close", try_against_close, nothing_stuck, end_with_values, 4},
        {"shared_unbuffered", shared_unbuffered, nothing_stuck, end, 2},
        {"shared_buffered", shared_buffered, nothing_stuck, end, 2},
    };
    return ex_main(argc, argv, all, sizeof all / sizeof *all);
}
