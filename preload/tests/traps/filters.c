/*
 * filters.c - a process allows itself by a seccomp filter what it does itself and nothing else, by
 * prctl or by the system call; anything else kills it. It locks, allocates, reads and writes there.
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "preload/tests/say.h"

#define ALLOW(number)                                                                              \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (number), 0, 1),                                           \
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

static struct sock_filter filter[] = {
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
    ALLOW(SYS_read),
    ALLOW(SYS_write),
    ALLOW(SYS_brk),
    ALLOW(SYS_exit_group),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
};

static pthread_mutex_t locks[10];
static int pipes[2];

static void live(void)
{
    char c[4];
    for (int i = 0; i < 10; i++) {
        void *p = malloc(64);
        if (pthread_mutex_lock(&locks[i]) != 0 || write(pipes[1], "abc", 3) != 3 ||
            read(pipes[0], c, 3) != 3 || pthread_mutex_unlock(&locks[i]) != 0 || !p)
            _exit(5);
        free(p);
    }
    _exit(3);
}

static void in_filter(int by_syscall)
{
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    if (by_syscall)
        MUST(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0);
    else
        MUST(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
    live();
}

int main(void)
{
    void *volatile first = malloc(1); /* it asks the kernel for random numbers */
    free(first);
    MUST(pipe(pipes) == 0);
    for (int i = 0; i < 10; i++)
        MUST(pthread_mutex_init(&locks[i], NULL) == 0);
    for (int by_syscall = 0; by_syscall < 2; by_syscall++) {
        int status;
        fflush(stdout);
        pid_t child = fork();
        MUST(child >= 0);
        if (child == 0)
            in_filter(by_syscall);
        MUST(waitpid(child, &status, 0) == child);
        printf("%s: status %x\n", by_syscall ? "syscall" : "prctl", (unsigned)status);
        MUST(status == 3 << 8);
    }
    SAY(syscall(SYS_getppid) > 0);
    SAY(syscall(SYS_close, -1));
    SAY(syscall(100000));
    return 0;
}
