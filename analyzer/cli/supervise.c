/*
 * supervise.c - see supervise.h. Signals are waited for, not handled: no code of ours runs between
 * two instructions.
 */
#include "analyzer/cli/supervise.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "analyzer/cli/process_tree.h"

/* From SIGTERM to SIGKILL. */
#define GRACE_S 2.0

static const int forwarded[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH};

#define NFORWARDED (sizeof(forwarded) / sizeof(forwarded[0]))

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* What the launcher changed for itself, and the program gets as it was; and what it is started with
 * as text that no #! begins, as a shell does and execvp. */
struct before {
    struct sigaction child;
    char **shell; /* NULL without memory */
};

/*
 * Runs in the child, in the launcher's memory (vfork): the launcher stands still until the program
 * was executed, and nothing is copied. Does not return.
 */
static _Noreturn void become(const struct supervise *s, const struct before *before,
                             struct ending *e)
{
    if (s->in_fd >= 0)
        dup2(s->in_fd, STDIN_FILENO);
    if (s->out_fd >= 0)
        dup2(s->out_fd, STDOUT_FILENO);
    if (s->self)
        snprintf(s->self, SUPERVISE_PID, "%d", (int)getpid());
    sigaction(SIGCHLD, &before->child, NULL);
    sigprocmask(SIG_SETMASK, s->mask, NULL);
    execve(s->path, s->argv, s->environment);
    if (errno == ENOEXEC && before->shell)
        execve(before->shell[0], before->shell, s->environment);
    e->exec_error = errno;
    _exit(127);
}

static char **shell_words(const struct supervise *s)
{
    size_t n = 0;
    while (s->argv[n])
        n++;
    char **argv = calloc(n + 2, sizeof(*argv));
    if (!argv)
        return NULL;
    argv[0] = (char *)"/bin/sh";
    argv[1] = (char *)s->path;
    for (size_t i = 1; i < n; i++)
        argv[i + 1] = s->argv[i];
    return argv;
}

/* Only signals that somebody sent to us alone: what the terminal sends, the child got itself. */
static void forward(pid_t pid, const siginfo_t *info)
{
    if (info->si_code == SI_KERNEL || info->si_code == SI_TKILL || info->si_pid == pid)
        return;
    kill(pid, info->si_signo);
}

/* Whether the child ended. */
static bool collect(pid_t pid, struct ending *e)
{
    int status;
    if (wait4(pid, &status, WNOHANG, &e->usage) != pid)
        return false;
    e->exited = WIFEXITED(status);
    e->status = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    e->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    return true;
}

/* Until the child ends (true) or the time comes (false). */
static bool wait_until(const struct supervise *s, const sigset_t *signals, double deadline_s,
                       struct ending *e)
{
    const pid_t pid = e->pid;
    double look_s = s->look_s;
    while (!collect(pid, e)) {
        double left = deadline_s - now_s();
        siginfo_t info;
        int signal;
        if (left <= 0)
            return false;
        if (s->look && left > look_s)
            left = look_s;
        if (isinf(left)) {
            signal = sigwaitinfo(signals, &info);
        } else {
            struct timespec t = {(time_t)left, (long)((left - floor(left)) * 1e9)};
            signal = sigtimedwait(signals, &info, &t);
        }
        if (signal > 0 && signal != SIGCHLD)
            forward(pid, &info);
        else if (signal < 0 && s->look)
            look_s = s->look(s->arg);
    }
    return true;
}

static void end_hung(const struct supervise *s, const sigset_t *signals, struct ending *e)
{
    struct process_tree tree;
    e->timed_out = true;
    process_tree_find(&tree, e->pid);
    process_tree_signal(&tree, SIGSTOP);
    s->hung(s->arg, e->pid);
    process_tree_signal(&tree, SIGTERM);
    process_tree_signal(&tree, SIGCONT);
    bool ended = wait_until(s, signals, now_s() + GRACE_S, e);
    process_tree_signal(&tree, SIGKILL);
    if (!ended)
        wait_until(s, signals, INFINITY, e);
    process_tree_clear(&tree);
}

static void waited_for(sigset_t *signals)
{
    sigemptyset(signals);
    sigaddset(signals, SIGCHLD);
    for (size_t i = 0; i < NFORWARDED; i++)
        sigaddset(signals, forwarded[i]);
}

void supervise_hold(sigset_t *before)
{
    sigset_t signals;
    waited_for(&signals);
    sigprocmask(SIG_BLOCK, &signals, before);
}

/* Whether one waits that ends this process when it is let in. */
static bool is_to_end(const sigset_t *mask)
{
    static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    sigset_t pending;
    bool found = false;
    sigpending(&pending);
    for (size_t i = 0; i < sizeof(ending) / sizeof(ending[0]); i++) {
        struct sigaction how;
        found |= sigismember(&pending, ending[i]) == 1 && sigismember(mask, ending[i]) == 0 &&
                 sigaction(ending[i], NULL, &how) == 0 && how.sa_handler == SIG_DFL;
    }
    return found;
}

/* A key that ended the program, and was not seen before that was, ends no report of it. */
static void drop(const sigset_t *signals)
{
    const struct timespec none = {0};
    while (sigtimedwait(signals, NULL, &none) > 0)
        ;
}

int supervise(const struct supervise *s, struct ending *e)
{
    sigset_t signals;
    if (is_to_end(s->mask))
        return EINTR;
    struct before before = {.shell = shell_words(s)};
    /* Ignored, as some parents leave it, it would take the child's status away from us. */
    const struct sigaction standard = {.sa_handler = SIG_DFL};
    *e = (struct ending){0};
    waited_for(&signals);
    sigaction(SIGCHLD, &standard, &before.child);

    double start_s = now_s();
    pid_t pid = vfork();
    if (pid == 0)
        become(s, &before, e);
    int error = pid < 0 ? errno : 0;
    e->pid = pid;
    if (!error) {
        double deadline_s = s->timeout_s > 0 && !e->exec_error ? start_s + s->timeout_s : INFINITY;
        if (!wait_until(s, &signals, deadline_s, e))
            end_hung(s, &signals, e);
        e->wall_s = now_s() - start_s;
    }
    drop(&signals);
    sigaction(SIGCHLD, &before.child, NULL);
    free(before.shell);
    return error;
}
