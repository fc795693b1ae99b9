/*
 * usage FILE [LD_PRELOAD=LIBRARY] PROGRAM [ARG...]: runs the program and appends a line to FILE:
 * the KiB that the largest of its processes took at its peak, and of all of them the microseconds
 * of processor time, the page faults, and the instructions in the program and the kernel, 0 where
 * the machine does not count them. Ends with the program's status, or 128 + the signal.
 *
 * A small program of its own, because the kernel counts the memory of a process from before exec
 * too: a program that a large one starts seems as large.
 */
#include <inttypes.h>
#include <linux/perf_event.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Counts in the processes that are made from now on. */
static int instructions_open(void)
{
    struct perf_event_attr attr = {
        .type = PERF_TYPE_HARDWARE,
        .size = sizeof(attr),
        .config = PERF_COUNT_HW_INSTRUCTIONS,
        .inherit = 1,
        .exclude_hv = 1,
    };
    return (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

static uint64_t instructions_read(int fd)
{
    uint64_t count = 0;
    return fd >= 0 && read(fd, &count, sizeof(count)) == sizeof(count) ? count : 0;
}

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
    int counter = instructions_open();
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
        fprintf(f, "%ld %ld %ld %" PRIu64 "\n", usage.ru_maxrss,
                us(usage.ru_utime) + us(usage.ru_stime), usage.ru_minflt + usage.ru_majflt,
                instructions_read(counter)) < 0 ||
        fclose(f) != 0)
        return 2;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
