/* weft_chans.c - workloads of channels and select. */
#include "bench/weft/bench.h"

static struct weft_chan *a, *b, *quit;

static void make_channels(size_t capacity)
{
    a = weft_chan_new(sizeof(long), capacity);
    b = weft_chan_new(sizeof(long), capacity);
    quit = weft_chan_new(sizeof(long), 0);
}

static void pong(void *pinned)
{
    if (pinned != NULL)
        weft_lock_thread();
    for (long i = 0, v; i < bench_n; i++) {
        weft_chan_recv(a, &v);
        v++;
        weft_chan_send(b, &v);
    }
}

static void ping(void *pinned)
{
    make_channels(0);
    weft_waitgroup_go(&bench_group, pong, pinned);
    if (pinned != NULL)
        weft_lock_thread();
    for (long i = 0, v; i < bench_n; i++) {
        weft_chan_send(a, &i);
        weft_chan_recv(b, &v);
        bench_sink += v;
    }
    weft_waitgroup_wait(&bench_group);
}

static void pingpong(void)
{
    ping(NULL);
}

/* Each side on an OS thread of its own. */
static void pinned(void)
{
    ping(&bench_group);
}

static void produce(void *arg)
{
    for (long i = 0; i < bench_n; i++)
        weft_chan_send(arg, &i);
    weft_chan_close(arg);
}

static void buffered(void)
{
    make_channels(128);
    weft_go(produce, a);
    for (long v; weft_chan_recv(a, &v) == 0;)
        bench_sink += v;
}

static void produce_half(void *arg)
{
    for (long i = 0; i < bench_n / 2; i++)
        weft_chan_send(arg, &i);
}

static void select_ready(void)
{
    long v;
    make_channels(0);
    weft_go(produce_half, a);
    weft_go(produce_half, b);
    for (long i = 0; i < bench_n / 2 * 2; i++) {
        struct weft_case cases[] = {WEFT_RECV(a, &v), WEFT_RECV(b, &v)};
        weft_select(cases, 2, WEFT_FOREVER);
        bench_sink += v;
    }
}

static void select_default(void)
{
    long v;
    make_channels(0);
    for (long i = 0; i < bench_n; i++) {
        struct weft_case cases[] = {WEFT_RECV(a, &v), WEFT_RECV(b, &v), WEFT_DEFAULT};
        bench_sink += weft_select(cases, 3, WEFT_FOREVER);
    }
}

static void select_pong(void *arg)
{
    (void)arg;
    for (long i = 0, v; i < bench_n; i++) {
        struct weft_case in[] = {WEFT_RECV(a, &v), WEFT_RECV(quit, NULL)};
        weft_select(in, 2, WEFT_FOREVER);
        struct weft_case out[] = {WEFT_SEND(b, &v), WEFT_RECV(quit, NULL)};
        weft_select(out, 2, WEFT_FOREVER);
    }
}

static void select_pingpong(void)
{
    make_channels(0);
    weft_go(select_pong, NULL);
    for (long i = 0, v; i < bench_n; i++) {
        struct weft_case out[] = {WEFT_SEND(a, &i), WEFT_RECV(quit, NULL)};
        weft_select(out, 2, WEFT_FOREVER);
        struct weft_case in[] = {WEFT_RECV(b, &v), WEFT_RECV(quit, NULL)};
        weft_select(in, 2, WEFT_FOREVER);
        bench_sink += v;
    }
}

const struct bench_workload bench_chans[] = {
    {"pingpong", pingpong},
    {"pinned", pinned},
    {"buffered", buffered},
    {"select_ready", select_ready},
    {"select_default", select_default},
    {"select_pingpong", select_pingpong},
    {NULL, NULL},
};
