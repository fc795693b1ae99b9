/*
 * usage FILE [LD_PRELOAD=LIBRARY] PROGRAM [ARG...]: runs the program and appends a line to FILE:
 * the KiB that the largest of its processes took at its peak, and the microseconds of processor
 * time that all of them took. Ends with the program's status, or 128 + the signal.
 *
 * A small program of its own, because the kernel counts the memory of a process from before exec
 * too: a program that a large one starts seems as large.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static long us(struct timeval t)
{
    return t.tv_sec * 1000000 + t.tv_usec;
}

int main(int argc, char **argv)
{
    struct rusage usage;
    int status;
    if (argc < 3)
        return 2;
    pid_t child = fork();
    if (child == 0) {
        char **program = argv + 2;
        if (strncmp(*program, "LD_PRELOAD=", strlen("LD_PRELOAD=")) == 0)
            putenv(*program++);
        execvp(*program, program);
        _exit(127);
    }
    if (child < 0 || wait4(child, &status, 0, &usage) != child)
        return 2;
    FILE *f = fopen(argv[1], "a");
    if (f == NULL ||
        fprintf(f, "%ld %ld\n", usage.ru_maxrss, us(usage.ru_utime) + us(usage.ru_stime)) < 0 ||
        fclose(f) != 0)
        return 2;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
