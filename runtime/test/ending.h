/*
 * Tests of how a program ends, and of what it says then. Each case is the test program again, as
 * `test NUMBER WORKERS`.
 */
#ifndef WEFT_TEST_ENDING_H
#define WEFT_TEST_ENDING_H

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/test/check.h"

#if defined(__SANITIZE_ADDRESS__)
/* A program that is ended where it stands has memory left. */
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
    return 1;
}
#endif

struct ending {
    void (*fn)(void *);   /* the main task */
    int status;           /* negative: a signal */
    const char *texts[6]; /* on stderr; none: it says nothing */
};

/* The program again, as `test NUMBER WORKERS`: it becomes one case. */
static inline void child(unsigned number, unsigned workers, int fd)
{
    char first[16], second[16];
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    dup2(fd, STDERR_FILENO);
    snprintf(first, sizeof first, "%u", number);
    snprintf(second, sizeof second, "%u", workers);
    execl("/proc/self/exe", "test", first, second, (char *)NULL);
    _exit(127);
}

static inline void run_case(const struct ending *e, unsigned number, unsigned workers)
{
    int fds[2], status;
    static char text[1 << 16]; /* a sanitizer may report a misuse as a race, before our line */
    size_t size = 0;
    assert_int_equal(pipe(fds), 0);
    pid_t pid = fork();
    if (pid == 0)
        child(number, workers, fds[1]);
    close(fds[1]);
    ssize_t n;
    while ((n = read(fds[0], text + size, sizeof text - 1 - size)) > 0)
        size += (size_t)n;
    text[size] = '\0';
    close(fds[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (e->status < 0)
        assert_int_equal(WIFSIGNALED(status) ? -WTERMSIG(status) : 0, e->status);
    else
        assert_int_equal(WIFEXITED(status) ? WEXITSTATUS(status) : -1, e->status);
    if (!e->texts[0])
        assert_string_equal(text, "");
    for (int i = 0; e->texts[i]; i++) {
        if (!strstr(text, e->texts[i]))
            fail_msg("\"%s\" is not in \"%s\"", e->texts[i], text);
    }
}

static inline void run_endings(const struct ending *cases, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        run_case(&cases[i], i, 1);
        run_case(&cases[i], i, 3);
    }
}

/* At the head of main: becomes the case that the arguments ask for, if they do. */
static inline void become_ending(int argc, char **argv, const struct ending *cases)
{
    if (argc != 3)
        return;
    struct weft_options options = {.workers = (unsigned)atoi(argv[2])};
    weft_run_with(&options, cases[atoi(argv[1])].fn, NULL);
    exit(0);
}

/* Of a program that has nothing but endings: what main returns. */
struct endings {
    const struct ending *cases;
    unsigned count;
};

static inline void all_endings(void **state)
{
    const struct endings *all = *state;
    run_endings(all->cases, all->count);
}

static inline int test_endings(int argc, char **argv, const struct ending *cases, unsigned count)
{
    struct endings all = {cases, count};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(all_endings, &all),
    };
    become_ending(argc, argv, cases);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
