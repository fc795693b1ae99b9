/*
 * ending.c - the endings of ending.h, one function each, and the table of their names.
 */
#include "tests/endings/ending.h"

#include "test-programs/common/sample.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static void by_return(void) {}

static void by_exit(void)
{
    exit(7);
}

static void *exit_here(void *arg)
{
    (void)arg;
    exit(7);
}

/* The main thread is in pthread_join meanwhile, which is no leak: who it waits for is running. */
static void by_exit_from_thread(void)
{
    pthread_t thread;

    MUST(pthread_create(&thread, NULL, exit_here, NULL) == 0);
    pthread_join(thread, NULL);
}

static void by_exit_now(void)
{
    _exit(7);
}

static void by_c_exit_now(void)
{
    _Exit(7);
}

static void by_quick_exit(void)
{
    quick_exit(7);
}

static void by_sigterm(void)
{
    raise(SIGTERM);
}

static void by_sigkill(void)
{
    kill(getpid(), SIGKILL);
}

static void by_sigkill_from_child(void)
{
    pid_t child = fork();

    MUST(child >= 0);
    if (child == 0) {
        kill(getppid(), SIGKILL);
        _exit(0);
    }
    for (;;)
        pause();
}

static void by_segfault(void)
{
    volatile int *volatile nowhere = NULL;

    *nowhere = 1;
}

/* The second image of the process is this program again, with nothing to leak. */
static void by_exec(void)
{
    errno = 0;
    execl("/proc/self/exe", "exec", "exit", "clean", (char *)NULL);
    MUST(errno == 0); /* it came back */
}

static void by_raw_exit(void)
{
    syscall(SYS_exit_group, 7);
}

static const struct {
    const char *name;
    void (*end)(void);
} endings[] = {
    {"return", by_return},
    {"exit", by_exit},
    {"exit-from-thread", by_exit_from_thread},
    {"exit-now", by_exit_now},
    {"c-exit-now", by_c_exit_now},
    {"quick-exit", by_quick_exit},
    {"abort", abort},
    {"sigterm", by_sigterm},
    {"sigkill", by_sigkill},
    {"sigkill-from-child", by_sigkill_from_child},
    {"segfault", by_segfault},
    {"exec", by_exec},
    {"raw-exit", by_raw_exit},
};

void end_by(const char *name)
{
    fflush(stdout);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (strcmp(endings[i].name, name) == 0) {
            endings[i].end();
            return;
        }
    MUST(name == NULL); /* an ending that is not known */
}

int has_word(char **argv, const char *word)
{
    for (; *argv != NULL; argv++)
        if (strcmp(*argv, word) == 0)
            return 1;
    return 0;
}
