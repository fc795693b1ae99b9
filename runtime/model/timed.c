/*
 * Selects with a time limit, against whoever may end the wait: a timer that fires, by one worker or
 * by another, a partner, and a close. One of them does; the limit of a wait that is over ends no
 * later one; a timer on the stack of a task is not touched once the task went on.
 */
#include "runtime/model/tasks.h"

enum { WORKERS = 2, LIMIT = 1000 };

static struct weft__run run;
static struct weft__worker workers[WORKERS];

/* ---- who fires ---- */

/* Tasks and their carriers are with the first worker, each thread that fires is a worker too. */
static unsigned worker_of[EX_THREADS];

static void bind_worker(void)
{
    weft__current_worker = &workers[worker_of[ex.current]];
}

static int64_t first_of_all(void)
{
    int64_t first = INT64_MAX;
    for (unsigned i = 0; i <= WORKERS; i++)
        first = homes[i].next < first ? homes[i].next : first;
    return first;
}

static bool is_armed(void *arg)
{
    (void)arg;
    return first_of_all() != INT64_MAX || live == 0;
}

/* Time goes on to the first that is due, and no further. */
static void fire(void *arg)
{
    for (;;) {
        ex_wait(is_armed, NULL, -1);
        if (live == 0)
            return;
        int64_t first = first_of_all();
        if (first != INT64_MAX && first > ex.now)
            ex.now = first;
        weft__timers_run_all(arg);
    }
}

static void begin_timed(void (*const *fns)(void), unsigned n, unsigned firing)
{
    begin(0, fns, n);
    memset(&run, 0, sizeof run);
    memset(workers, 0, sizeof workers);
    memset(worker_of, 0, sizeof worker_of);
    run.epoch = 1;
    run.workers = run.slots = WORKERS;
    for (unsigned i = 0; i < WORKERS; i++) {
        workers[i].run = &run;
        workers[i].index = i;
        run.worker[i] = &workers[i];
    }
    for (unsigned i = 0; i < firing; i++) {
        worker_of[ex.count] = i;
        ex_thread(fire, &workers[i]);
    }
    ex.switched = bind_worker;
}

static void end_timed(void)
{
    end();
    EX_CHECK(first_of_all() == INT64_MAX && "a timer outlives the wait it was for");
}

/* ---- what the tasks do ---- */

static int select_for(struct weft_case *cases, unsigned n, int64_t limit)
{
    int64_t since = ex.now;
    int r = do_select(cases, n, limit);
    EX_CHECK(r >= 0 || ex.now >= since + limit);
    return r;
}

/* From a, from b, or neither in time. */
static int recv_either(void)
{
    uint64_t in;
    struct weft_case cases[] = {WEFT_RECV(channels[0], &in), WEFT_RECV(channels[1], &in)};
    int r = select_for(cases, 2, LIMIT);
    return r >= 0 && !cases[r].ok ? -EPIPE : r;
}

static void recv_in_time(void)
{
    if (recv_either() == -ETIMEDOUT)
        EX_CHECK(do_recv(0) == 0);
}

static void send_a(void)
{
    do_send(0, 3);
}

static void time_against_sender(void)
{
    begin_timed((void (*const[])(void)){recv_in_time, send_a}, 2, 1);
}

static void send_in_time(void)
{
    uint64_t one = 1, in;
    struct weft_case cases[] = {WEFT_SEND(channels[0], &one), WEFT_RECV(channels[1], &in)};
    if (select_for(cases, 2, LIMIT) == -ETIMEDOUT)
        do_send(0, 2);
}

static void recv_a(void)
{
    EX_CHECK(do_recv(0) == 0);
}

static void time_against_receiver(void)
{
    begin_timed((void (*const[])(void)){send_in_time, recv_a}, 2, 1);
}

static void recv_or_closed(void)
{
    int r = recv_either();
    EX_CHECK(r == -EPIPE || r == -ETIMEDOUT);
}

static void close_a(void)
{
    weft_chan_close(channels[0]);
}

static void time_against_close(void)
{
    begin_timed((void (*const[])(void)){recv_or_closed, close_a}, 2, 1);
}

static void recv_what_comes(void)
{
    if (recv_either() != 1)
        EX_CHECK(do_recv(1) == 0);
}

static void send_b(void)
{
    do_send(1, 4);
}

static void time_sender_and_close(void)
{
    begin_timed((void (*const[])(void)){recv_what_comes, close_a, send_b}, 3, 1);
}

/* Twice at the same place of the stack, the second time for long. */
static void recv_twice(void)
{
    uint64_t in;
    struct weft_case cases[] = {WEFT_RECV(channels[0], &in), WEFT_RECV(channels[1], &in)};
    if (select_for(cases, 2, LIMIT) == -ETIMEDOUT)
        EX_CHECK(select_for(cases, 2, WEFT_FOREVER) == 0);
    else
        EX_CHECK(select_for(cases, 2, 2 * LIMIT) == -ETIMEDOUT);
}

static void wait_after_wait(void)
{
    begin_timed((void (*const[])(void)){recv_twice, send_a}, 2, 2);
}

static void recv_b_or_time(void)
{
    uint64_t in;
    struct weft_case cases[] = {WEFT_RECV(channels[1], &in)};
    select_for(cases, 1, LIMIT / 2);
}

/* Two limits in one heap, the later armed first or last. */
static void two_limits(void)
{
    begin_timed((void (*const[])(void)){recv_in_time, recv_b_or_time, send_a}, 3, 1);
}

static void only_time(void)
{
    EX_CHECK(select_for(NULL, 0, LIMIT) == -ETIMEDOUT);
}

static void a_timed_sleep(void)
{
    begin_timed((void (*const[])(void)){only_time}, 1, 2);
}

int main(int argc, char **argv)
{
    static const struct ex_scenario all[] = {
        {"time_against_sender", time_against_sender, nothing_stuck, end_timed, 2},
        {"time_against_receiver", time_against_receiver, nothing_stuck, end_timed, 2},
        {"time_against_close", time_against_close, nothing_stuck, end_timed, 2},
        {"time_sender_and_close", time_sender_and_close, nothing_stuck, end_timed, 2},
        {"wait_after_wait", wait_after_wait, nothing_stuck, end_timed, 2},
        {"two_limits", two_limits, nothing_stuck, end_timed, 2},
        {"a_timed_sleep", a_timed_sleep, nothing_stuck, end_timed, 3},
    };
    return ex_main(argc, argv, all, sizeof all / sizeof *all);
}
