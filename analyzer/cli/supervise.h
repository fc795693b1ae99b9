/*
 * supervise.h - starts a program and stays with it until it ends, or until its time is up.
 *
 * The program is a child in the launcher's own process group: the terminal's keys reach it directly
 * and job control works as if it had been started by itself. Signals sent to the launcher alone
 * are passed on.
 */
#ifndef SUPERVISE_H
#define SUPERVISE_H

#include <signal.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

#define SUPERVISE_PID 16 /* digits, a NUL, and some */

struct supervise {
    const char *path; /* what to execute */
    char **argv;
    int in_fd, out_fd; /* its standard input and output; below 0: those of the launcher */
    double timeout_s;  /* 0 for none */
    char **environment;
    const sigset_t *mask; /* for the program: of before supervise_hold */
    /* NULL, or a place in the environment where the child writes its process id before exec: room
     * for SUPERVISE_PID bytes. */
    char *self;
    /* Its time is up; it and its descendants stand still. They are ended afterwards. */
    void (*hung)(void *arg, pid_t pid);
    /* Every so often while it runs, first after look_s: says when again. May be NULL. */
    double (*look)(void *arg);
    double look_s;
    void *arg;
};

struct ending {
    pid_t pid;
    int exec_error; /* errno when it could not be executed; 0 else */
    bool exited;    /* `status` counts, else `signal` */
    int status, signal;
    bool timed_out;
    double wall_s;       /* from before its start until it was seen to have ended */
    struct rusage usage; /* its own and that of the children it waited for */
};

/* From here on the signals wait that would end the launcher and leave what it began. */
void supervise_hold(sigset_t *before);

/* Within supervise_hold. 0, or an errno when no child could be made: EINTR when a signal waits that
 * ends the launcher, whose program is not begun then. */
int supervise(const struct supervise *s, struct ending *e);

#endif
