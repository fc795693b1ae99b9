/*
 * weft_bench WORKLOAD N: one workload of Weft in a fresh process; prints its wall time, CPU time
 * and peak memory. go_bench.go is the same in Go; compare.py runs both side by side.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <weft.h>

static long n;
static volatile long sink;
static struct weft_waitgroup wg;

static void done(void *arg)
{
    (void)arg;
    weft_waitgroup_done(&wg);
}

static void spawn(long count)
{
    weft_waitgroup_add(&wg, count);
    for (long i = 0; i < count; i++)
        weft_go(done, NULL);
    weft_waitgroup_wait(&wg);
}

static void spawn_all(void)
{
    spawn(n);
}

static void spawn_batch(void)
{
    for (long i = 0; i < n; i += 1000)
        spawn(1000);
}

static void spawn_one(void)
{
    for (long i = 0; i < n; i++)
        spawn(1);
}

static struct weft_chan *a, *b, *quit;

static void make_channels(size_t capacity)
{
    a = weft_chan_new(sizeof(long), capacity);
    b = weft_chan_new(sizeof(long), capacity);
    quit = weft_chan_new(sizeof(long), 0);
}

static void pong(void *arg)
{
    (void)arg;
    for (long i = 0, v; i < n; i++) {
        weft_chan_recv(a, &v);
        v++;
        weft_chan_send(b, &v);
    }
}

static void pingpong(void)
{
    make_channels(0);
    weft_waitgroup_go(&wg, pong, NULL);
    for (long i = 0, v; i < n; i++) {
        weft_chan_send(a, &i);
        weft_chan_recv(b, &v);
        sink += v;
    }
    weft_waitgroup_wait(&wg);
}

static void produce(void *arg)
{
    for (long i = 0; i < n; i++)
        weft_chan_send(arg, &i);
    weft_chan_close(arg);
}

static void buffered(void)
{
    make_channels(128);
    weft_go(produce, a);
    for (long v; weft_chan_recv(a, &v) == 0;)
        sink += v;
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
    turns = n / tasks;
    for (long i = 0; i < tasks; i++)
        weft_waitgroup_go(&wg, yielder, NULL);
    weft_waitgroup_wait(&wg);
}

static void yield2(void)
{
    yield_among(2);
}

static void yield10k(void)
{
    yield_among(10000);
}

static void produce_half(void *arg)
{
    for (long i = 0; i < n / 2; i++)
        weft_chan_send(arg, &i);
}

static void select_ready(void)
{
    long v;
    make_channels(0);
    weft_go(produce_half, a);
    weft_go(produce_half, b);
    for (long i = 0; i < n / 2 * 2; i++) {
        struct weft_case cases[] = {WEFT_RECV(a, &v), WEFT_RECV(b, &v)};
        weft_select(cases, 2, WEFT_FOREVER);
        sink += v;
    }
}

static void select_default(void)
{
    long v;
    make_channels(0);
    for (long i = 0; i < n; i++) {
        struct weft_case cases[] = {WEFT_RECV(a, &v), WEFT_RECV(b, &v), WEFT_DEFAULT};
        sink += weft_select(cases, 3, WEFT_FOREVER);
    }
}

static void select_pong(void *arg)
{
    (void)arg;
    for (long i = 0, v; i < n; i++) {
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
    for (long i = 0, v; i < n; i++) {
        struct weft_case out[] = {WEFT_SEND(a, &i), WEFT_RECV(quit, NULL)};
        weft_select(out, 2, WEFT_FOREVER);
        struct weft_case in[] = {WEFT_RECV(b, &v), WEFT_RECV(quit, NULL)};
        weft_select(in, 2, WEFT_FOREVER);
        sink += v;
    }
}

static void wait_for_close(void *arg)
{
    (void)arg;
    weft_chan_recv(a, NULL);
}

static void parked(void)
{
    make_channels(0);
    for (long i = 0; i < n; i++)
        weft_waitgroup_go(&wg, wait_for_close, NULL);
    weft_yield();
    weft_chan_close(a);
    weft_waitgroup_wait(&wg);
}

static void timer_reset(void)
{
    struct weft_timer *t = weft_timer_new(3600 * WEFT_S);
    for (long i = 0; i < n; i++)
        weft_timer_reset(t, 3600 * WEFT_S + (i & 1023) * WEFT_MS);
    weft_timer_free(t);
}

static void timer_stop(void)
{
    for (long i = 0; i < n; i++) {
        struct weft_timer *t = weft_timer_new(3600 * WEFT_S);
        weft_timer_stop(t);
        weft_timer_free(t);
    }
}

static void nothing(void *arg)
{
    (void)arg;
}

static void timer_func_stop(void)
{
    for (long i = 0; i < n; i++) {
        struct weft_timer *t = weft_timer_func(3600 * WEFT_S, nothing, NULL);
        weft_timer_stop(t);
        weft_timer_free(t);
    }
}

static struct weft_mutex mutex;

static void locker(void *arg)
{
    long count = (long)arg;
    for (long i = 0; i < count; i++) {
        weft_mutex_lock(&mutex);
        sink++;
        weft_mutex_unlock(&mutex);
    }
}

static void mutex_alone(void)
{
    locker((void *)n);
}

static void mutex_two(void)
{
    weft_waitgroup_go(&wg, locker, (void *)(n / 2));
    weft_waitgroup_go(&wg, locker, (void *)(n / 2));
    weft_waitgroup_wait(&wg);
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
    make_channels(0);
    struct leaf top = {a, 0, n};
    long v;
    weft_go_copy(skynet_node, &top, sizeof top);
    weft_chan_recv(a, &v);
    if (v != n * (n - 1) / 2)
        abort();
}

static const struct {
    const char *name;
    void (*run)(void);
} workloads[] = {
    {"spawn_all", spawn_all},
    {"spawn_batch", spawn_batch},
    {"spawn_one", spawn_one},
    {"pingpong", pingpong},
    {"buffered", buffered},
    {"yield2", yield2},
    {"yield10k", yield10k},
    {"select_ready", select_ready},
    {"select_default", select_default},
    {"select_pingpong", select_pingpong},
    {"parked", parked},
    {"timer_reset", timer_reset},
    {"timer_stop", timer_stop},
    {"timer_func_stop", timer_func_stop},
    {"mutex_alone", mutex_alone},
    {"mutex_two", mutex_two},
    {"skynet", skynet},
};

static int64_t cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec * WEFT_S + t.tv_nsec;
}

static void measure(void *arg)
{
    int64_t wall = weft_now(), cpu = cpu_ns();
    ((void (*)(void))arg)();
    wall = weft_now() - wall;
    cpu = cpu_ns() - cpu;
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("ns=%ld cpu=%ld rss_kb=%ld\n", (long)wall, (long)cpu, usage.ru_maxrss);
}

int main(int argc, char **argv)
{
    n = argc == 3 ? atol(argv[2]) : 0;
    for (size_t i = 0; n > 0 && i < sizeof workloads / sizeof *workloads; i++) {
        if (strcmp(argv[1], workloads[i].name) == 0)
            return weft_run(measure, (void *)workloads[i].run) != 0;
    }
    fprintf(stderr, "usage: weft_bench WORKLOAD N\n");
    for (size_t i = 0; i < sizeof workloads / sizeof *workloads; i++)
        fprintf(stderr, "  %s\n", workloads[i].name);
    return 2;
}
