/*
 * sandbox.c - a process in strict seccomp may read, write and exit, and does so on descriptors that
 * it never used before.
 */
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "preload/tests/say.h"

static void in_sandbox(int from, int to)
{
    char c[4];
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0)
        _exit(9); /* plain processes cannot do it here either */
    if (read(from, c, 4) == 4 && write(to, c, 4) == 4)
        syscall(SYS_exit, 3); /* exit_group, which _exit is, is forbidden */
    syscall(SYS_exit, 4);
}

int main(void)
{
    int in[2], out[2], status;
    char got[5] = "";
    SAY(prctl(PR_SET_NAME, "sandboxed", 0, 0, 0));
    SAY(prctl(PR_GET_DUMPABLE));
    SAY(prctl(-1));
    SAY(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL)); /* a probe */
    MUST(pipe(in) == 0 && pipe(out) == 0 && write(in[1], "abcd", 4) == 4);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0)
        in_sandbox(dup(in[0]), dup(out[1]));
    MUST(waitpid(child, &status, 0) == child);
    printf("status %x\n", (unsigned)status);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 3)
        SAY(read(out[0], got, 4));
    printf("%s\n", got);
    return 0;
}
