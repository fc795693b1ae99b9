/*
 * unreaped-spawn.c - a helper program is started for each event. A handler of SIGCHLD waits for
 * one child each time it is called: those that ended together with it stay.
 */
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test-programs/common/sample.h"

#define EVENTS 12
#define HOOKS  4

extern char **environ;

static void on_child(int signal)
{
    (void)signal;
    waitpid(-1, NULL, WNOHANG);
}

static void notify(void)
{
    char *words[] = {"true", NULL};
    pid_t child;
    MUST(posix_spawnp(&child, words[0], NULL, NULL, words, environ) == 0); /* CHILD */
}

int main(void)
{
    struct sigaction action = {.sa_handler = on_child, .sa_flags = SA_RESTART};
    sigset_t children;
    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    MUST(sigaction(SIGCHLD, &action, NULL) == 0);
    for (int i = 0; i < EVENTS; i++) {
        sigprocmask(SIG_BLOCK, &children, NULL);
        for (int k = 0; k < HOOKS; k++)
            notify();
        sleep_ms(30);
        sigprocmask(SIG_UNBLOCK, &children, NULL);
    }
    puts("notified");
    return 0;
}
