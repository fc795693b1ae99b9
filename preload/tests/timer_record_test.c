/*
 * timer_record_test.c - what the record says of timers. The test runs itself again as the program
 * under test, with the library, and reads the cells that it left.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "eventlog/kinds.h"
#include "preload/tests/record_help.h"

#define NS_PER_MS 1000000u
#define HOUR_S    3600

/* ---- the program ---- */

static const struct itimerspec every_ms = {{0, NS_PER_MS}, {0, NS_PER_MS}};
static const struct itimerspec off = {{0, 0}, {0, 0}};

#define BRIEF 1000

/* Each ends before it was set. */
static int timers_for_nothing(void)
{
    struct sigevent none = {.sigev_notify = SIGEV_NONE};
    int bad = 0;
    for (int i = 0; i < BRIEF; i++) {
        timer_t timer;
        bad |= timer_create(CLOCK_MONOTONIC, &none, &timer) != 0 || timer_delete(timer) != 0;
    }
    return bad;
}

/* One timer left of each kind, one ended of each kind, periods all different. */
static int program(void)
{
    struct sigevent none = {.sigev_notify = SIGEV_NONE};
    struct itimerspec posix = {{HOUR_S, 0}, {1, 0}};
    struct itimerval interval = {{HOUR_S, 0}, {0, 250000}};
    uint64_t n, taken = 0;
    timer_t left, gone;
    int bad = timer_create(CLOCK_MONOTONIC, &none, &left) != 0;
    bad |= timer_settime(left, 0, &posix, NULL);
    bad |= timer_create(CLOCK_MONOTONIC, &none, &gone) != 0;
    bad |= timer_settime(gone, 0, &posix, NULL) | timer_delete(gone);
    int read_fd = timerfd_create(CLOCK_MONOTONIC, 0), closed = timerfd_create(CLOCK_MONOTONIC, 0);
    int stopped = timerfd_create(CLOCK_MONOTONIC, 0);
    bad |= timerfd_settime(read_fd, 0, &every_ms, NULL);
    bad |= timerfd_settime(closed, 0, &every_ms, NULL) | close(closed);
    bad |= timerfd_settime(stopped, 0, &every_ms, NULL) | timerfd_settime(stopped, 0, &off, NULL);
    for (int i = 0; i < 3; i++) {
        bad |= read(read_fd, &n, sizeof n) != sizeof n;
        taken += n;
    }
    /* A child that shares this memory closes its own descriptor: this timer goes on. */
    pid_t child = vfork();
    if (child == 0) {
        close(read_fd);
        _exit(0);
    }
    bad |= waitpid(child, NULL, 0) != child;
    bad |= setitimer(ITIMER_VIRTUAL, &interval, NULL);
    alarm(HOUR_S);
    bad |= timers_for_nothing();
    printf("%d %d %llu\n", read_fd, stopped, (unsigned long long)taken);
    fflush(stdout);
    _exit(bad);
}

/* ---- the test ---- */

static struct el_timer cells[32];
static size_t n_cells;
static struct el_outcome most; /* of the place that made the most timers */
static int read_fd, stopped_fd;
static unsigned long long taken;

static void on_cell(const struct el_record *record)
{
    if (record->info->id == EL_ID_timer && record->any.timer.state != EL_TIMER_FREE &&
        n_cells < sizeof cells / sizeof cells[0])
        cells[n_cells++] = record->any.timer;
    if (record->info->id == EL_ID_outcome && record->any.outcome.kind == EL_OBJ_POSIX_TIMER &&
        record->any.outcome.made > most.made)
        most = record->any.outcome;
}

static int setup(void **state)
{
    char out[128];
    (void)state;
    if (record_prepare() != 0 || record_run(out, sizeof out) != 0)
        return -1;
    if (sscanf(out, "%d %d %llu", &read_fd, &stopped_fd, &taken) != 3)
        return -1;
    return record_read(on_cell, NULL) > 0 ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    return record_remove();
}

static size_t of_kind(enum el_object_kind kind)
{
    size_t n = 0;
    for (size_t i = 0; i < n_cells; i++)
        n += cells[i].kind == kind;
    return n;
}

static const struct el_timer *find(enum el_object_kind kind, uint64_t object)
{
    for (size_t i = 0; i < n_cells; i++)
        if (cells[i].kind == kind && (object == UINT64_MAX || cells[i].object == object))
            return &cells[i];
    fail_msg("no timer of kind %d", (int)kind);
    return NULL;
}

static void posix_timer_left(void **state)
{
    (void)state;
    assert_int_equal(of_kind(EL_OBJ_POSIX_TIMER), 1);
    const struct el_timer *t = find(EL_OBJ_POSIX_TIMER, UINT64_MAX);
    assert_int_equal(t->state, EL_TIMER_ARMED);
    assert_int_equal(t->first_ns, 1000 * NS_PER_MS);
    assert_int_equal(t->period_ns, HOUR_S * 1000ull * NS_PER_MS);
    assert_int_equal(t->creator, 1);
    assert_int_not_equal(t->created_stack, 0);
    assert_int_not_equal(t->armed_stack, 0);
    assert_int_not_equal(t->armed_stack, t->created_stack);
    assert_true(t->armed_at >= t->created_at);
}

static void timerfd_left(void **state)
{
    (void)state;
    assert_int_equal(of_kind(EL_OBJ_TIMERFD), 2); /* the closed one is gone */
    const struct el_timer *t = find(EL_OBJ_TIMERFD, (uint64_t)read_fd);
    assert_int_equal(t->state, EL_TIMER_ARMED);
    assert_int_equal(t->period_ns, NS_PER_MS);
    assert_int_equal(t->fires, taken);
    assert_int_equal(t->drops, taken - 3);
    assert_true(t->last_used_at > t->armed_at);
    assert_int_equal(t->last_user, 1);
}

static void timerfd_stopped(void **state)
{
    (void)state;
    const struct el_timer *t = find(EL_OBJ_TIMERFD, (uint64_t)stopped_fd);
    assert_int_equal(t->state, EL_TIMER_STOPPED);
    assert_int_equal(t->last_used_at, 0);
}

static void interval_and_alarm(void **state)
{
    (void)state;
    const struct el_timer *t = find(EL_OBJ_ITIMER, ITIMER_VIRTUAL);
    assert_int_equal(t->state, EL_TIMER_ARMED);
    assert_int_equal(t->first_ns, 250 * NS_PER_MS);
    t = find(EL_OBJ_ALARM, UINT64_MAX);
    assert_int_equal(t->state, EL_TIMER_ARMED);
    assert_int_equal(t->period_ns, 0);
    assert_int_equal(t->first_ns, HOUR_S * 1000ull * NS_PER_MS);
}

static void brief_timers(void **state)
{
    (void)state;
    assert_int_equal(most.made, BRIEF);
    assert_int_equal(most.gone, BRIEF);
    assert_int_equal(most.lost, BRIEF);
    assert_int_equal(most.peak, 1);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(posix_timer_left), cmocka_unit_test(timerfd_left),
        cmocka_unit_test(timerfd_stopped),  cmocka_unit_test(interval_and_alarm),
        cmocka_unit_test(brief_timers),
    };
    if (argc > 1 && strcmp(argv[1], "program") == 0)
        return program();
    return cmocka_run_group_tests(tests, setup, teardown);
}
