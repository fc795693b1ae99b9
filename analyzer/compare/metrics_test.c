/* metrics_test.c - what a run's metrics are made of. */
#include "analyzer/compare/metrics.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analyzer/model/memory.h"
#include "analyzer/model/model.h"
#include "analyzer/report/run_info.h"

static struct model_site sites[] = {
    {.kind = EL_SITE_TASK, .stack = 1, .count = 50, .peak = 40},
    {.kind = EL_SITE_TASK, .stack = 2, .count = 70, .peak = 30},
    {.kind = EL_SITE_THREAD, .stack = 3, .count = 5, .peak = 4},
    {.kind = EL_SITE_BLOCKED, .stack = 4, .count = 70, .peak = 60},
    {.kind = EL_SITE_FD, .stack = 5, .count = 90, .peak = 80}, /* not one that counts */
    {.kind = EL_SITE_ALLOC, .stack = 6, .count = 11, .bytes = 1100},
    {.kind = EL_SITE_WAIT, .stack = 7, .count = 3, .total_ns = 300, .max_ns = 200},
    {.kind = EL_SITE_WAIT, .stack = 8, .count = 100, .total_ns = 10000, .max_ns = 9000},
};
static struct model_outcome outcomes[] = {
    {.kind = EL_OBJ_TIMER, .made = 5, .peak = 6, .lost = 3},
    {.kind = EL_OBJ_TIMERFD, .made = 2, .peak = 2, .lost = 1},
    {.kind = EL_OBJ_CONTEXT, .made = 13, .lost = 12},
    {.kind = EL_OBJ_FD, .made = 9, .peak = 8, .gone = 5},
    {.kind = EL_OBJ_CHAN, .made = 3, .lost = 2, .items = 15},
};
/* Half of the tasks started after 1 us, half after 1 ms. */
static struct model_spread spreads[] = {
    {.kind = EL_SPREAD_TASK_START, .every = 1, .count = 10, .max_ns = 1024},
    {.kind = EL_SPREAD_TASK_START, .every = 1, .count = 10, .max_ns = 1048576},
    {.kind = EL_SPREAD_THREAD_MAKE, .every = 4, .count = 2, .total_ns = 50},
};
static struct model_spin spins[] = {{.count = 20000, .cpu_ns = 17}};
static struct model_group groups[] = {{.wasted_ns = 18}, {.wasted_ns = 1}};
static struct model_misuse misuses[] = {{.stack = 1}, {.stack = 2}};
/* At stack 7 it was a lock, at 8 something else. */
static struct model_wait waits[] = {
    {.kind = EL_WAIT_MUTEX, .stack = 7, .count = 2, .total_ns = 250},
    {.kind = EL_WAIT_COND, .stack = 8, .count = 100, .total_ns = 10000},
};
static struct model_lock_io lock_ios[] = {{.count = 4, .total_ns = 400}};
static struct model_actor actors[] = {
    {.id = 1, .flags = EL_ACTOR_MAIN, .state = EL_ACTOR_RUNNING, .has_cell = true},
    {.id = 2, .state = EL_ACTOR_WAITING, .has_cell = true},
    {.id = 3, .state = EL_ACTOR_ENDED, .has_cell = true},
    {.id = 4, .state = EL_ACTOR_WAITING, .flags = EL_ACTOR_WORKER, .has_cell = true},
    {.id = 5, .state = EL_ACTOR_WAITING},
    {.id = EL_ACTOR_TASK | 6, .state = EL_ACTOR_ABANDONED, .has_cell = true},
};
static struct model_timer timers[] = {
    {.state = EL_TIMER_ARMED, .drops = 12},
    {.state = EL_TIMER_STOPPED},
    {.state = EL_TIMER_STOPPED, .flags = EL_TIMER_ABANDONED},
};
static struct model_process processes[] = {
    {.nstacks = 9,
     .sites = sites,
     .nsites = 8,
     .outcomes = outcomes,
     .noutcomes = 5,
     .spreads = spreads,
     .nspreads = 3,
     .spins = spins,
     .nspins = 1,
     .groups = groups,
     .ngroups = 2,
     .misuses = misuses,
     .nmisuses = 2,
     .waits = waits,
     .nwaits = 2,
     .lock_ios = lock_ios,
     .nlock_ios = 1,
     .actors = actors,
     .nactors = 6,
     .timers = timers,
     .ntimers = 3,
     .threads_made = 6,
     .tasks_made = 120,
     .events = 1000},
    {.sites = sites, .nsites = 1, .threads_made = 1, .tasks_made = 50, .events = 10},
};
static const struct model model = {.processes = processes, .nprocesses = 2};

static void measured(void **state)
{
    (void)state;
    struct run_info run = {
        .usage = {
            .known = true, .wall_ns = 100, .user_ns = 20, .system_ns = 30, .max_rss_bytes = 4096}};
    double v[METRICS_BUILTIN];
    spreads[0].bins[el_spread_bin(1024)] = 10;
    spreads[1].bins[el_spread_bin(1048576)] = 10;
    metrics_measure(v, &(struct metric_source){&model, &run, 2, 1, 777});
    static const struct {
        enum metric_id id;
        double value;
    } expected[] = {
        {METRIC_wall, 100},
        {METRIC_cpu, 50},
        {METRIC_max_rss, 4096},
        {METRIC_processes, 2},
        {METRIC_threads, 7},
        {METRIC_peak_threads, 4},
        {METRIC_threads_left, 1},
        {METRIC_tasks, 170},
        {METRIC_peak_tasks, 40},
        {METRIC_tasks_left, 1},
        {METRIC_timers, 7},
        {METRIC_peak_timers, 6},
        {METRIC_timers_left, 2},
        {METRIC_ticks_dropped, 12},
        {METRIC_fds, 9},
        {METRIC_fds_left, 4},
        {METRIC_peak_fds, 8},
        {METRIC_allocations, 11},
        {METRIC_alloc_bytes, 1100},
        {METRIC_lock_waits, 3},
        {METRIC_lock_wait, 300},
        {METRIC_lock_wait_max, 200},
        {METRIC_lock_io_calls, 4},
        {METRIC_lock_io, 400},
        {METRIC_errors, 2},
        {METRIC_blocked_threads, 60},
        {METRIC_timers_lost, 4},
        {METRIC_contexts, 13},
        {METRIC_contexts_lost, 12},
        {METRIC_items_lost, 15},
        {METRIC_thread_make, 200},
        {METRIC_spins, 20000},
        {METRIC_spin_cpu, 17},
        {METRIC_group_waste, 19},
        {METRIC_misuses, 2},
        {METRIC_warnings, 1},
        {METRIC_log_bytes, 777},
        {METRIC_log_events, 1010},
    };
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
        if (v[expected[i].id] != expected[i].value)
            fail_msg("metric %d is %g, not %g", expected[i].id, v[expected[i].id],
                     expected[i].value);
    /* Quantiles are exact to half an octave. */
    assert_true(v[METRIC_start_latency] >= 512 && v[METRIC_start_latency] <= 2048);
    assert_true(v[METRIC_start_latency_p99] >= 524288 && v[METRIC_start_latency_p99] <= 2097152);
}

static void what_nobody_measured_is_unknown(void **state)
{
    (void)state;
    struct run_info run = {0};
    struct model none = {0};
    double v[METRICS_BUILTIN];
    metrics_measure(v, &(struct metric_source){.model = &none, .run = &run});
    assert_true(isnan(v[METRIC_wall]) && isnan(v[METRIC_cpu]) && isnan(v[METRIC_max_rss]));
    assert_true(v[METRIC_tasks] == 0);
}

static void printed(void **state)
{
    (void)state;
    struct metrics all;
    metrics_init(&all);
    assert_null(metrics_add_printed(&all, "rate:more"));
    assert_null(metrics_add_printed(&all, "latency"));
    assert_null(metrics_add_printed(&all, "lost"));
    double *v = xcalloc(all.n, sizeof(*v)), *printed = v + METRICS_BUILTIN;
    metrics_read_printed(&all, v,
                         "start\nrates: 7\n  rate = 120.5 req/s\nlatency: 2 ms\nlatency: 3 ms\n"
                         "lost:\n5\nlost: many\nthe lost: 9");
    assert_true(printed[0] == 120.5 && printed[1] == 3e6 && isnan(printed[2]));
    assert_string_equal(all.items[METRICS_BUILTIN].unit, "req/s");
    assert_true(all.items[METRICS_BUILTIN].more_is_better);
    assert_string_equal(all.items[METRICS_BUILTIN + 1].unit, "ns");
    /* Another run: the same dimension in another unit, and a unit that does not fit. */
    metrics_read_printed(&all, v, "latency: 800 us\nrate: 9 MB/s");
    assert_true(printed[1] == 8e5 && isnan(printed[0]));
    metrics_read_printed(&all, v, NULL);
    assert_true(isnan(printed[1]));
    free(v);
    metrics_clear(&all);
}

static void names_of_printed_ones(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } bad[] = {
        {"", "a name is"},           {"1x", "a name is"},           {"a-b", "a name is"},
        {"x:most", "expected NAME"}, {"wall", "there is a metric"},
    };
    struct metrics all;
    metrics_init(&all);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char *error = metrics_add_printed(&all, bad[i].text);
        assert_non_null(error);
        assert_non_null(strstr(error, bad[i].says));
        free(error);
    }
    assert_int_equal(all.n, METRICS_BUILTIN);
    assert_null(metrics_add_printed(&all, "x:less"));
    assert_int_equal(metrics_find(&all, "x"), METRICS_BUILTIN);
    metrics_clear(&all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(measured),
        cmocka_unit_test(what_nobody_measured_is_unknown),
        cmocka_unit_test(printed),
        cmocka_unit_test(names_of_printed_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
