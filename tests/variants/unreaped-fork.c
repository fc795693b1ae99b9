/*
 * unreaped-fork.c - a server that forks for each request, and leaves it to nobody to wait for the
 * children. The first of them is asked for once, as the server starts.
 */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test-programs/common/sample.h"

#define REQUESTS 60

static void answer(int request)
{
    _exit(request & 1);
}

static void serve(int request)
{
    pid_t child = fork(); /* CHILD */
    MUST(child >= 0);
    if (child == 0)
        answer(request);
}

int main(void)
{
    int status;
    pid_t probe = fork();
    MUST(probe >= 0);
    if (probe == 0)
        answer(0);
    MUST(waitpid(probe, &status, 0) == probe);
    for (int i = 0; i < REQUESTS; i++) {
        serve(i);
        sleep_ms(2);
    }
    puts("served");
    return 0;
}
