/*
 * children.c - forks, spawns and pipes: each child is waited for, each uses threads and joins them.
 */
#include "test-programs/common/sample.h"

#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static void *add(void *arg)
{
    ++*(int *)arg;
    return NULL;
}

static int count_in_threads(void)
{
    pthread_t threads[4];
    int counts[4] = {0}, sum = 0;

    for (int i = 0; i < 4; i++)
        MUST(pthread_create(&threads[i], NULL, add, &counts[i]) == 0);
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        sum += counts[i];
    }
    return sum;
}

static int count_in_child(void)
{
    int status;
    pid_t child = fork();

    MUST(child >= 0);
    if (child == 0)
        _exit(count_in_threads());
    MUST(waitpid(child, &status, 0) == child && WIFEXITED(status));
    return WEXITSTATUS(status);
}

int main(void)
{
    char *const words[] = {"true", NULL};
    int sum = count_in_threads(), status;
    pid_t child;

    for (int i = 0; i < 4; i++)
        sum += count_in_child();
    MUST(posix_spawnp(&child, "true", NULL, NULL, words, environ) == 0);
    MUST(waitpid(child, &status, 0) == child && status == 0);
    printf("%d\n", sum);
    return 0;
}
