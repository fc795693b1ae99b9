/* What ends the program in groups and scopes: each in a process of its own, with its line. */
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/test/check.h"

/* Still running whenever the limit changes: it waits for what never comes. */
static int member(void *never)
{
    weft_waitgroup_wait(never);
    return 0;
}

static void limit_while_running(void *arg)
{
    struct weft_group group = {0};
    struct weft_waitgroup never = {0};
    (void)arg;
    weft_waitgroup_add(&never, 1);
    weft_group_go(&group, member, &never);
    weft_group_set_limit(&group, 1);
}

static void second_context(void *arg)
{
    struct weft_group group = {0};
    (void)arg;
    weft_group_with_ctx(&group, NULL);
    weft_group_with_ctx(&group, NULL);
}

static void leave(void *arg)
{
    (void)arg;
    weft_exit();
}

static void exit_outside(void *arg)
{
    weft_blocking(leave, arg);
}

static const struct {
    void (*fn)(void *);
    int status; /* negative: a signal */
    const char *text, *second;
} cases[] = {
    {limit_while_running, -SIGABRT, "weft: the limit of a group is changed while its tasks run",
     "; the last one started at wrong_use_test+0x"},
    {second_context, -SIGABRT, "weft: a group gets a second context (task ",
     "; its first at wrong_use_test+0x"},
    {exit_outside, -SIGABRT, "weft: weft_exit outside a task", ", at wrong_use_test+0x"},
    /* The run goes on without its main task, until nobody is left. */
    {leave, 2, "weft: no tasks (main task called weft_exit) - deadlock!", ""},
};

/* The program again, with the number of the case: workers do not outlive a fork. */
static void child(unsigned i, int fd)
{
    char number[16];
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    dup2(fd, STDERR_FILENO);
    snprintf(number, sizeof number, "%u", i);
    execl("/proc/self/exe", "wrong_use_test", number, (char *)NULL);
    _exit(127);
}

static void each_case(void **state)
{
    (void)state;
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[4096];
        int fds[2], status;
        size_t size = 0;
        assert_int_equal(pipe(fds), 0);
        pid_t pid = fork();
        if (pid == 0)
            child(i, fds[1]);
        close(fds[1]);
        ssize_t n;
        while ((n = read(fds[0], text + size, sizeof text - 1 - size)) > 0)
            size += (size_t)n;
        text[size] = '\0';
        close(fds[0]);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status),
                         cases[i].status);
        if (!strstr(text, cases[i].text) || !strstr(text, cases[i].second))
            fail_msg("\"%s\" is not in \"%s\"", cases[i].text, text);
    }
}

int main(int argc, char **argv)
{
    if (argc == 2)
        return weft_run(cases[atoi(argv[1])].fn, NULL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_case),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
