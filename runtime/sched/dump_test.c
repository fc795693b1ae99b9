/* What weft_dump says of tasks in each state, into a pipe and by SIGQUIT. */
#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/test/check.h"

static char text[16384];

static void dump_into_text(void)
{
    int ends[2];
    size_t size = 0;
    ssize_t n;
    CHECK(pipe(ends) == 0);
    CHECK(weft_dump(ends[1]) == 0);
    close(ends[1]);
    while ((n = read(ends[0], text + size, sizeof text - 1 - size)) > 0)
        size += (size_t)n;
    close(ends[0]);
    text[size] = '\0';
}

/* The line of the task of that name, behind the name; NULL without one. */
static const char *line_of(const char *name)
{
    char quoted[64];
    snprintf(quoted, sizeof quoted, "\"%s\" ", name);
    const char *at = strstr(text, quoted);
    return at ? at + strlen(quoted) : NULL;
}

static bool begins(const char *at, const char *with)
{
    return at && strncmp(at, with, strlen(with)) == 0;
}

static bool says(const char *name, const char *expected)
{
    const char *at = line_of(name);
    return begins(at, expected) && at[strlen(expected)] == '\n';
}

/* On a busy machine it may have waited for long already. */
static const char *behind_age(const char *at)
{
    return begins(at, ", ") ? strchr(at, ']') : at;
}

static bool waits(const char *name, const char *why, const char *rest)
{
    char expected[128];
    snprintf(expected, sizeof expected, "waiting [%s", why);
    const char *at = line_of(name);
    if (!begins(at, expected))
        return false;
    at = behind_age(at + strlen(expected));
    return begins(at, rest) && at[strlen(rest)] == '\n';
}

static bool waits_for(const char *name, const char *why, const void *object)
{
    char rest[64];
    snprintf(rest, sizeof rest, "] for %p", object);
    return waits(name, why, rest);
}

static void receiver(void *arg)
{
    weft_set_name("receiver");
    weft_chan_recv(arg, NULL);
}

static void locker(void *arg)
{
    weft_set_name("locker");
    weft_mutex_lock(arg);
    weft_mutex_unlock(arg);
}

static void sleeper(void *arg)
{
    (void)arg;
    weft_set_name("sleeper\nof two lines");
    weft_sleep(3600 * WEFT_S);
}

static void unnamed(void *arg)
{
    weft_set_name(arg);
    weft_chan_recv(NULL, NULL);
}

TASK_TEST(waits_are_named)
{
    struct weft_chan *c = weft_chan_new(0, 0);
    struct weft_mutex m = {0};
    weft_set_name("main");
    weft_mutex_lock(&m);
    weft_go(receiver, c);
    weft_go(locker, &m);
    weft_go(sleeper, NULL);
    weft_go(unnamed, (void *)(uintptr_t)16); /* where nothing is mapped */
    do {
        weft_yield();
        dump_into_text();
    } while (!waits_for("receiver", "chan receive", c) || !waits_for("locker", "mutex lock", &m) ||
             !waits("sleeper?of two lines", "sleep", "]") ||
             !waits("", "chan receive (nil chan)", "]"));
    CHECK(begins(line_of("main"), "running"));
    weft_mutex_unlock(&m);
    weft_chan_send(c, NULL);
    do {
        weft_yield();
        dump_into_text();
    } while (strstr(text, "receiver") || strstr(text, "locker"));
    weft_chan_release(c);
}

/* ---- ages, threads and stacks ---- */

static void compute(void *arg)
{
    weft_set_name("computing");
    while (!*(_Atomic int *)arg) {
    }
}

static void locked(void *arg)
{
    CHECK(weft_lock_thread() == 0);
    weft_set_name("locked");
    weft_chan_recv(arg, NULL);
}

/* The milliseconds behind `before` in that task's line; -1 without. */
static long age(const char *name, const char *before)
{
    const char *at = line_of(name);
    return begins(at, before) ? strtol(at + strlen(before), NULL, 10) : -1;
}

TASK_TEST(ages)
{
    struct weft_chan *c = weft_chan_new(0, 0);
    struct weft_waitgroup wg = {0};
    _Atomic int stop = 0;
    weft_waitgroup_go(&wg, receiver, c);
    weft_waitgroup_go(&wg, locked, c);
    weft_waitgroup_go(&wg, compute, (void *)&stop);
    do { /* until it is 30 ms old; it computes with two workers or more, or beside us */
        weft_sleep(WEFT_MS);
        dump_into_text();
    } while (age("receiver", "waiting [chan receive, ") < 30 ||
             age("locked", "waiting [chan receive, ") < 30 ||
             age("computing", "running for ") < 20);
    CHECK(strstr(text, ", thread locked\n"));
    stop = 1;
    weft_chan_send(c, NULL);
    weft_chan_send(c, NULL);
    weft_waitgroup_wait(&wg);
    weft_chan_release(c);
}

/* Where it waits, and where it began. Not static: its name is known to the loader then. */
void dump_test_waiter(void *arg);
void dump_test_waiter(void *arg)
{
    weft_set_name("waiter");
    weft_chan_recv(arg, NULL);
    __asm__ volatile("" ::: "memory"); /* no jump in place of the call */
}

TASK_TEST(stacks)
{
    struct weft_chan *c = weft_chan_new(0, 0);
    struct weft_waitgroup wg = {0};
    weft_waitgroup_go(&wg, dump_test_waiter, c);
    do {
        weft_yield();
        dump_into_text();
    } while (!waits_for("waiter", "chan receive", c));
    const char *at = strstr(line_of("waiter"), "\n    at dump_test_waiter+0x");
    CHECK(at && strstr(at, "\n    began in "));
    weft_chan_send(c, NULL);
    weft_waitgroup_wait(&wg);
    weft_chan_release(c);
}

static void labelled(void *arg)
{
    weft_set_name("labelled");
    CHECK(weft_set_label("request", "17") == 0);
    weft_chan_recv(arg, NULL);
}

TASK_TEST(labels)
{
    struct weft_chan *c = weft_chan_new(0, 0);
    struct weft_waitgroup wg = {0};
    weft_waitgroup_go(&wg, labelled, c);
    do {
        weft_yield();
        dump_into_text();
    } while (!begins(line_of("labelled"), "{request=17} waiting [chan receive"));
    weft_chan_send(c, NULL);
    weft_waitgroup_wait(&wg);
    weft_chan_release(c);
}

static _Atomic int released;

static void runnable(void *arg)
{
    weft_set_name("late");
    weft_chan_recv(arg, NULL);
    released = 1;
}

/* With one worker, who was made ready cannot run before the dump is over; unless that takes so long
 * that an extra worker comes. */
static void ready_is_not_waiting(void *arg)
{
    struct weft_chan *c = weft_chan_new(0, 0);
    struct weft_stats stats;
    (void)arg;
    released = 0;
    weft_go(runnable, c);
    do {
        weft_yield();
        dump_into_text();
    } while (!waits_for("late", "chan receive", c));
    weft_chan_send(c, NULL);
    if (!released) {
        dump_into_text();
        CHECK(weft_stats(&stats) == 0 && (says("late", "runnable") || stats.long_runs > 0));
    }
    while (!released)
        weft_yield();
    weft_chan_release(c);
}

static void ready_ones(void **state)
{
    struct weft_options options = {.workers = 1};
    (void)state;
    assert_int_equal(weft_run_with(&options, ready_is_not_waiting, NULL), 0);
}

static void outside(void **state)
{
    (void)state;
    dump_into_text();
    assert_string_equal(text, "");
}

static void bad_descriptor_body(void *arg)
{
    (void)arg;
    CHECK(weft_dump(-1) == -EBADF);
}

static void bad_descriptor(void **state)
{
    (void)state;
    run_all(bad_descriptor_body, NULL);
}

static void quit_and_go_on(void *arg)
{
    (void)arg;
    weft_set_name("asked");
    raise(SIGQUIT);
    weft_yield();
    raise(SIGQUIT);
}

static void by_signal(void **state)
{
    int ends[2], status;
    size_t size = 0;
    ssize_t n;
    (void)state;
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        setenv("WEFT_DUMP", "1", 1);
        dup2(ends[1], STDERR_FILENO);
        execl("/proc/self/exe", "dump_test", "quit", (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    while ((n = read(ends[0], text + size, sizeof text - 1 - size)) > 0)
        size += (size_t)n;
    text[size] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 3);
    assert_true(begins(line_of("asked"), "running"));
    char *second = strchr(text, '\n');
    assert_non_null(second);
    assert_non_null(strstr(second, "\"asked\" running"));
}

int main(int argc, char **argv)
{
    (void)argv;
    if (argc == 2) {
        weft_run(quit_and_go_on, NULL);
        _exit(3);
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_are_named), cmocka_unit_test(ages),       cmocka_unit_test(stacks),
        cmocka_unit_test(labels),          cmocka_unit_test(ready_ones), cmocka_unit_test(outside),
        cmocka_unit_test(bad_descriptor),  cmocka_unit_test(by_signal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
