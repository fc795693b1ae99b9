/*
 * ends.c - the ways in which a process ends: which handlers of the program run at each, what its
 * buffers still print, and with what status it is over.
 */
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "preload/tests/say.h"

/* Not by stdio, so that what is printed by it shows. */
static void tell(const char *text)
{
    MUST(write(STDOUT_FILENO, text, strlen(text)) == (ssize_t)strlen(text));
}

static void at_exit(void)
{
    tell("at exit\n");
}

static void at_quick_exit_too(void)
{
    tell("at quick exit\n");
}

__attribute__((destructor)) static void destructor(void)
{
    tell("destructor\n");
}

static void by_exit(void)
{
    exit(11);
}
static void by__exit(void)
{
    _exit(12);
}
static void by__Exit(void)
{
    _Exit(13);
}
static void by_quick_exit(void)
{
    quick_exit(14);
}
static void by_the_call(void)
{
    syscall(SYS_exit_group, 15);
}
static void by_abort(void)
{
    abort();
}
static void by_kill(void)
{
    raise(SIGKILL);
}
static void by_segv(void)
{
    raise(SIGSEGV);
}

static void (*const ways[])(void) = {by_exit,     by__exit, by__Exit, by_quick_exit,
                                     by_the_call, by_abort, by_kill,  by_segv};

int main(void)
{
    int status;
    struct rlimit none = {0, 0};
    setvbuf(stdout, NULL, _IOFBF, 4096);
    MUST(setrlimit(RLIMIT_CORE, &none) == 0);
    MUST(atexit(at_exit) == 0 && at_quick_exit(at_quick_exit_too) == 0);
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        pid_t child = fork();
        MUST(child >= 0);
        if (child == 0) {
            printf("still in the buffer\n");
            ways[i]();
        }
        MUST(waitpid(child, &status, 0) == child);
        printf("way %zu: status %x\n", i, (unsigned)status & 0xff7f); /* but for a core's bit */
        fflush(stdout);
    }
    _exit(0);
}
