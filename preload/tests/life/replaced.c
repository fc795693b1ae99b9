/*
 * replaced.c - vfork and exec, exec that fails, posix_spawn, and a child's child: each child has
 * the status it should have, and the parent goes on.
 */
#include <errno.h>
#include <pthread.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "preload/tests/say.h"

extern char **environ;

static int status_of(pid_t child)
{
    int status;
    MUST(child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void by_vfork(void)
{
    pid_t child = vfork();
    if (child == 0) {
        execl("/nothing/of/that/name", "nothing", (char *)NULL);
        execlp("sh", "sh", "-c", "exit 5", (char *)NULL);
        _exit(99);
    }
    printf("vfork: %d\n", status_of(child));
}

static void by_spawn(void)
{
    char *argv[] = {(char *)"sh", (char *)"-c", (char *)"exit 6", NULL};
    pid_t child;
    MUST(posix_spawnp(&child, "sh", NULL, NULL, argv, environ) == 0);
    printf("spawn: %d\n", status_of(child));
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* The child has the lock that its parent held, and may give it back. */
static void by_fork_under_lock(void)
{
    pthread_mutex_lock(&lock);
    pid_t child = fork();
    if (child == 0) {
        pthread_mutex_unlock(&lock);
        pid_t next = fork();
        if (next == 0)
            _exit(7);
        _exit(status_of(next) + 1);
    }
    pthread_mutex_unlock(&lock);
    printf("fork: %d\n", status_of(child));
}

int main(void)
{
    char *argv[] = {(char *)"nothing", NULL};
    by_vfork();
    by_spawn();
    by_fork_under_lock();
    MUST(execv("/nothing/of/that/name", argv) == -1 && errno == ENOENT);
    printf("system: %d\n", system("exit 9") >> 8);
    return 0;
}
