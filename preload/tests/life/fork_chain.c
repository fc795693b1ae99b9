/*
 * fork_chain.c - a child of a child of a child ...: none keeps the memory that described its
 * ancestors.
 */
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "preload/tests/say.h"

#define GENERATIONS 30
#define MOST_KB     (GENERATIONS * 300L) /* the C library keeps some, too */

static long mapped_kb(void)
{
    char line[256];
    long kb = -1;
    FILE *f = fopen("/proc/self/status", "r");
    MUST(f != NULL);
    while (fgets(line, sizeof(line), f) != NULL)
        if (strncmp(line, "VmSize:", 7) == 0)
            kb = strtol(line + 7, NULL, 10);
    fclose(f);
    return kb;
}

int main(void)
{
    long first = mapped_kb();
    for (int i = 0; i < GENERATIONS; i++) {
        int status;
        pid_t child = fork();
        MUST(child >= 0);
        if (child > 0) {
            MUST(waitpid(child, &status, 0) == child);
            _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
        }
    }
    long more = mapped_kb() - first;
    if (more > MOST_KB)
        printf("the last generation has %ld KiB more than the first\n", more);
    printf("generation %d is no larger than the first\n", GENERATIONS);
    fflush(stdout);
    _exit(0);
}
