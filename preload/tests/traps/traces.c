/*
 * traces.c - what a program sees of itself is what it would see alone: its threads, descriptors,
 * signals, timers, limits, directory and names; at the start, with a thread, and in a child.
 */
#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "preload/tests/say.h"

/* How many entries a directory has; of descriptors without the one that is open to look. */
static int entries(const char *path)
{
    int count = 0;
    DIR *dir = opendir(path);
    MUST(dir != NULL);
    for (struct dirent *e; (e = readdir(dir));)
        count += e->d_name[0] != '.';
    closedir(dir);
    return count;
}

static void signals(void)
{
    sigset_t blocked, pending;
    stack_t other;
    for (int number = 1; number < 65; number++) {
        struct sigaction action;
        if (sigaction(number, NULL, &action) == 0 && action.sa_handler != SIG_DFL)
            printf("signal %d has a handler: ignored %d\n", number, action.sa_handler == SIG_IGN);
    }
    MUST(sigprocmask(SIG_BLOCK, NULL, &blocked) == 0 && sigpending(&pending) == 0);
    for (int number = 1; number < 65; number++) {
        if (sigismember(&blocked, number) == 1 || sigismember(&pending, number) == 1)
            printf("signal %d is blocked or pending\n", number);
    }
    MUST(sigaltstack(NULL, &other) == 0);
    printf("another stack: %d\n", !(other.ss_flags & SS_DISABLE));
}

static void timers_and_limits(void)
{
    for (int which = 0; which < 3; which++) {
        struct itimerval timer;
        MUST(getitimer((__itimer_which_t)which, &timer) == 0);
        printf("timer %d: %ld %ld\n", which, (long)timer.it_value.tv_sec,
               (long)timer.it_value.tv_usec);
    }
    for (int which = 0; which < RLIM_NLIMITS; which++) {
        struct rlimit limit;
        if (getrlimit((__rlimit_resource_t)which, &limit) == 0)
            printf("limit %d: %lu %lu\n", which, (unsigned long)limit.rlim_cur,
                   (unsigned long)limit.rlim_max);
    }
}

static void say_all(const char *when)
{
    char name[16] = "", directory[512];
    sched_getscheduler(0);
    MUST(prctl(PR_GET_NAME, name) == 0 && getcwd(directory, sizeof directory) != NULL);
    mode_t mask = umask(0);
    umask(mask);
    printf("-- %s\n", when);
    printf("threads %d descriptors %d\n", entries("/proc/self/task"), entries("/proc/self/fd"));
    printf("name %s directory %s mask %o\n", name, directory, (unsigned)mask);
    printf("dumpable %d keeps capabilities %d slack %d new privileges %d\n", prctl(PR_GET_DUMPABLE),
           prctl(PR_GET_KEEPCAPS), prctl(PR_GET_TIMERSLACK),
           prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
    printf("policy %d priority %d\n", sched_getscheduler(0), getpriority(PRIO_PROCESS, 0));
    signals();
    timers_and_limits();
    fflush(stdout);
}

static void *thread(void *arg)
{
    say_all("in a thread");
    return arg;
}

int main(void)
{
    pthread_t t;
    int status;
    say_all("at the start");
    MUST(pthread_create(&t, NULL, thread, NULL) == 0 && pthread_join(t, NULL) == 0);
    /* The kernel lists a thread for a moment after its join. */
    for (int i = 0; i < 1000 && entries("/proc/self/task") != 1; i++)
        usleep(1000);
    say_all("after a thread");
    pid_t child = fork();
    MUST(child >= 0);
    if (child == 0) {
        say_all("in a child");
        exit(4);
    }
    MUST(waitpid(child, &status, 0) == child);
    printf("status %x\n", (unsigned)status);
    return 0;
}
