/*
 * busy-child.c - a launcher asks again and again whether its child has ended, and does not wait in
 * between.
 */
#include "test-programs/common/sample.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS 30000 /* the child is told to end after so many */

static int go_on[2];

static pid_t launch(void)
{
    char c;
    pid_t child = fork();
    MUST(child >= 0);
    if (child == 0)
        _exit(read(go_on[0], &c, 1) == 1 ? 0 : 1);
    return child;
}

static int await(pid_t child)
{
    int status, told = 0;
    for (long rounds = 0; waitpid(child, &status, WNOHANG) == 0; rounds++) /* ASK */
        if (!told && rounds >= ROUNDS && has_burned_ms(100))
            told = write(go_on[1], "x", 1) == 1;
    return status;
}

int main(void)
{
    MUST(pipe(go_on) == 0);
    printf("%d\n", await(launch()));
    return 0;
}
