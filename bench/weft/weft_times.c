/* weft_times.c - workloads of timers and sleepers. */
#include "bench/weft/bench.h"

#define HOUR       (3600 * WEFT_S)
#define SLEEP      (4 * WEFT_S)
#define TIMERS_MAX 10000

static int64_t wake_at;
static struct weft_waitgroup not_started;

static void sleeper(void *arg)
{
    (void)arg;
    weft_waitgroup_done(&not_started);
    weft_sleep(wake_at - weft_now());
    weft_waitgroup_done(&bench_group);
}

/* All sleep until one moment: how long until all have gone to sleep, how late the last wakes. */
static void sleepers(void)
{
    int64_t begin = weft_now();
    wake_at = begin + SLEEP;
    weft_waitgroup_add(&bench_group, bench_n);
    weft_waitgroup_add(&not_started, bench_n);
    for (long i = 0; i < bench_n; i++)
        weft_go(sleeper, NULL);
    weft_waitgroup_wait(&not_started);
    bench_figure("asleep_ms", (weft_now() - begin) / WEFT_MS);
    bench_figure("task_bytes", bench_resident() / bench_n);
    weft_waitgroup_wait(&bench_group);
    bench_figure("late_ms", (weft_now() - wake_at) / WEFT_MS);
}

static void timer_reset(void)
{
    struct weft_timer *t = weft_timer_new(HOUR);
    for (long i = 0; i < bench_n; i++)
        weft_timer_reset(t, HOUR + (i & 1023) * WEFT_MS);
    weft_timer_free(t);
}

static void nothing(void *arg)
{
    (void)arg;
}

static void timer_reset10k(void)
{
    static struct weft_timer *timers[TIMERS_MAX];
    for (long i = 0; i < TIMERS_MAX; i++)
        timers[i] = weft_timer_func(HOUR + i * WEFT_MS, nothing, NULL);
    for (long i = 0; i < bench_n; i++)
        weft_timer_reset(timers[i * 7919 % TIMERS_MAX], HOUR + (i & 0xffff) * WEFT_MS);
    for (long i = 0; i < TIMERS_MAX; i++)
        weft_timer_free(timers[i]);
}

static void timer_stop(void)
{
    for (long i = 0; i < bench_n; i++) {
        struct weft_timer *t = weft_timer_new(HOUR);
        weft_timer_stop(t);
        weft_timer_free(t);
    }
}

static void timer_func_stop(void)
{
    for (long i = 0; i < bench_n; i++) {
        struct weft_timer *t = weft_timer_func(HOUR, nothing, NULL);
        weft_timer_stop(t);
        weft_timer_free(t);
    }
}

const struct bench_workload bench_times[] = {
    {"sleepers", sleepers},
    {"timer_reset", timer_reset},
    {"timer_reset10k", timer_reset10k},
    {"timer_stop", timer_stop},
    {"timer_func_stop", timer_func_stop},
    {NULL, NULL},
};
