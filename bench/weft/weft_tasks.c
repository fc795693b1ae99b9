/* weft_tasks.c - workloads of tasks: spawning, yielding, parking. */
#include <stdlib.h>

#include "bench/weft/bench.h"

static void done(void *arg)
{
    (void)arg;
    weft_waitgroup_done(&bench_group);
}

static void spawn(long count)
{
    weft_waitgroup_add(&bench_group, count);
    for (long i = 0; i < count; i++)
        weft_go(done, NULL);
    weft_waitgroup_wait(&bench_group);
}

static void spawn_all(void)
{
    spawn(bench_n);
}

static void spawn_batch(void)
{
    for (long i = 0; i < bench_n; i += 1000)
        spawn(1000);
}

static void spawn_one(void)
{
    for (long i = 0; i < bench_n; i++)
        spawn(1);
}

static long turns;

static void yielder(void *arg)
{
    (void)arg;
    for (long i = 0; i < turns; i++)
        weft_yield();
}

static void yield_among(long tasks)
{
    turns = bench_n / tasks;
    for (long i = 0; i < tasks; i++)
        weft_waitgroup_go(&bench_group, yielder, NULL);
    weft_waitgroup_wait(&bench_group);
}

static void yield2(void)
{
    yield_among(2);
}

static void yield10k(void)
{
    yield_among(10000);
}

static struct weft_waitgroup not_started;
static struct weft_chan *gate;

static void wait_for_close(void *arg)
{
    (void)arg;
    weft_waitgroup_done(&not_started);
    weft_chan_recv(gate, NULL);
    weft_waitgroup_done(&bench_group);
}

/* All of them have run and wait before the gate is opened. */
static void parked(void)
{
    long resident = bench_resident();
    int64_t begin = weft_now();
    gate = weft_chan_new(sizeof(long), 0);
    weft_waitgroup_add(&bench_group, bench_n);
    weft_waitgroup_add(&not_started, bench_n);
    for (long i = 0; i < bench_n; i++)
        weft_go(wait_for_close, NULL);
    weft_waitgroup_wait(&not_started);
    weft_yield();
    bench_figure("park_ns", (weft_now() - begin) / bench_n);
    bench_figure("task_bytes", (bench_resident() - resident) / bench_n);
    weft_chan_close(gate);
    weft_waitgroup_wait(&bench_group);
}

struct leaf {
    struct weft_chan *out;
    long number, size;
};

static void skynet_node(void *arg)
{
    struct leaf *me = arg;
    if (me->size == 1) {
        weft_chan_send(me->out, &me->number);
        return;
    }
    struct weft_chan *in = weft_chan_new(sizeof(long), 0);
    long sum = 0, v;
    for (long i = 0; i < 10; i++) {
        struct leaf child = {in, me->number + i * (me->size / 10), me->size / 10};
        weft_go_copy(skynet_node, &child, sizeof child);
    }
    for (int i = 0; i < 10; i++) {
        weft_chan_recv(in, &v);
        sum += v;
    }
    weft_chan_release(in);
    weft_chan_send(me->out, &sum);
}

static void skynet(void)
{
    struct weft_chan *out = weft_chan_new(sizeof(long), 0);
    struct leaf top = {out, 0, bench_n};
    long v;
    weft_go_copy(skynet_node, &top, sizeof top);
    weft_chan_recv(out, &v);
    if (v != bench_n * (bench_n - 1) / 2)
        abort();
}

const struct bench_workload bench_tasks[] = {
    {"spawn_all", spawn_all}, {"spawn_batch", spawn_batch},
    {"spawn_one", spawn_one}, {"yield2", yield2},
    {"yield10k", yield10k},   {"parked", parked},
    {"skynet", skynet},       {NULL, NULL},
};
