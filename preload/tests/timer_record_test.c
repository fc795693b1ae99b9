/*
 * timer_record_test.c - what the record says of timers. The test runs itself again as the program
 * under test, with the library, and reads the cells that it left.
 */
#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "eventlog/kinds.h"
#include "eventlog/reader.h"

#define NS_PER_MS 1000000u
#define HOUR_S    3600

/* ---- the program ---- */

static const struct itimerspec every_ms = {{0, NS_PER_MS}, {0, NS_PER_MS}};
static const struct itimerspec off = {{0, 0}, {0, 0}};

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
    bad |= setitimer(ITIMER_VIRTUAL, &interval, NULL);
    alarm(HOUR_S);
    printf("%d %d %llu\n", read_fd, stopped, (unsigned long long)taken);
    fflush(stdout);
    _exit(bad);
}

/* ---- the test ---- */

static char record_dir[] = "/tmp/loiter-timer-XXXXXX";
static struct el_timer cells[32];
static size_t n_cells;
static int read_fd, stopped_fd;
static unsigned long long taken;

static void run_program(const char *library)
{
    int p[2];
    char out[128] = "", self[4096];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    assert_true(length > 0);
    self[length] = 0;
    assert_int_equal(pipe(p), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        dup2(p[1], STDOUT_FILENO);
        setenv("LD_PRELOAD", library, 1);
        setenv("LOITER_DIR", record_dir, 1);
        execl(self, self, "program", (char *)NULL);
        _exit(127);
    }
    close(p[1]);
    assert_true(read(p[0], out, sizeof out - 1) > 0);
    close(p[0]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(sscanf(out, "%d %d %llu", &read_fd, &stopped_fd, &taken), 3);
}

static void read_record(void)
{
    struct el_list list;
    struct el_reader *r;
    struct el_record record;
    assert_int_equal(el_list_processes(record_dir, &list), EL_READ_OK);
    assert_int_equal(list.n, 1);
    assert_int_equal(el_reader_open(list.items[0], &r), EL_READ_OK);
    while (el_reader_next_cell(r, &record))
        if (record.info->id == EL_ID_timer && record.any.timer.state != EL_TIMER_FREE &&
            n_cells < sizeof cells / sizeof cells[0])
            cells[n_cells++] = record.any.timer;
    el_reader_close(r);
    el_list_free(&list);
}

static int setup(void **state)
{
    const char *library = getenv("LOITER_LIBRARY");
    (void)state;
    if (library == NULL || mkdtemp(record_dir) == NULL)
        return -1;
    run_program(library);
    read_record();
    return 0;
}

static int teardown(void **state)
{
    char command[64];
    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", record_dir);
    return system(command);
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

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(posix_timer_left),
        cmocka_unit_test(timerfd_left),
        cmocka_unit_test(timerfd_stopped),
        cmocka_unit_test(interval_and_alarm),
    };
    if (argc > 1 && strcmp(argv[1], "program") == 0)
        return program();
    return cmocka_run_group_tests(tests, setup, teardown);
}
