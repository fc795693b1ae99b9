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

/* The line of the task of that name is `expected` behind the name. */
static bool says(const char *name, const char *expected)
{
    char quoted[64];
    snprintf(quoted, sizeof quoted, "\"%s\" ", name);
    const char *at = strstr(text, quoted);
    if (!at)
        return false;
    at += strlen(quoted);
    const char *end = strchr(at, '\n');
    return end && (size_t)(end - at) == strlen(expected) &&
           !strncmp(at, expected, strlen(expected));
}

static bool waits_for(const char *name, const char *why, const void *object)
{
    char expected[128];
    snprintf(expected, sizeof expected, "waiting [%s] for %p", why, object);
    return says(name, expected);
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
             !says("sleeper?of two lines", "waiting [sleep]") ||
             !says("", "waiting [chan receive (nil chan)]"));
    CHECK(says("main", "running"));
    weft_mutex_unlock(&m);
    weft_chan_send(c, NULL);
    do {
        weft_yield();
        dump_into_text();
    } while (strstr(text, "receiver") || strstr(text, "locker"));
    weft_chan_release(c);
}

static _Atomic int released;

static void runnable(void *arg)
{
    weft_set_name("late");
    weft_chan_recv(arg, NULL);
    released = 1;
}

/* With one worker, who was made ready cannot run before the dump is over. */
static void ready_is_not_waiting(void *arg)
{
    struct weft_chan *c = weft_chan_new(0, 0);
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
        CHECK(says("late", "runnable"));
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
    assert_true(says("asked", "running"));
    char *second = strchr(text, '\n');
    assert_non_null(second);
    assert_non_null(strstr(second, "\"asked\" running\n"));
}

int main(int argc, char **argv)
{
    (void)argv;
    if (argc == 2) {
        weft_run(quit_and_go_on, NULL);
        _exit(3);
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_are_named), cmocka_unit_test(ready_ones), cmocka_unit_test(outside),
        cmocka_unit_test(bad_descriptor),  cmocka_unit_test(by_signal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
