/*
 * Tests of what ends the program: each in a process of its own, the test program again with the
 * case's number as its argument.
 */
#ifndef WEFT_TEST_DEATH_H
#define WEFT_TEST_DEATH_H

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/test/check.h"

struct death {
    void (*fn)(void *arg); /* the main task */
    const char *text;      /* on stderr; the end is SIGABRT */
};

/* At the head of main: becomes the case that the arguments ask for, if they do. */
static inline void death_main(int argc, char **argv, const struct death *deaths)
{
    if (argc != 3 || strcmp(argv[1], "--death") != 0)
        return;
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    struct weft_options options = {.workers = 2};
    weft_run_with(&options, deaths[atoi(argv[2])].fn, NULL);
    _exit(0);
}

static inline void check_death(const struct death *deaths, int number)
{
    int fds[2], status;
    static char text[1 << 16]; /* a sanitizer may report a misuse as a race, before our line */
    char argument[16];
    size_t size = 0;
    ssize_t n;
    assert_int_equal(pipe(fds), 0);
    snprintf(argument, sizeof argument, "%d", number);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(fds[1], STDERR_FILENO);
        execl("/proc/self/exe", "test", "--death", argument, (char *)NULL);
        _exit(127);
    }
    close(fds[1]);
    while ((n = read(fds[0], text + size, sizeof text - 1 - size)) > 0)
        size += (size_t)n;
    text[size] = '\0';
    close(fds[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT || !strstr(text, deaths[number].text))
        fail_msg("case %d: status %x, \"%s\" is not in \"%s\"", number, (unsigned)status,
                 deaths[number].text, text);
}

#endif
