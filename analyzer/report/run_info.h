/*
 * run_info.h - DIR/run.json: what the launcher knows of a run. Written by `loiter run` and
 * `loiter record`, read by whatever reports later.
 */
#ifndef RUN_INFO_H
#define RUN_INFO_H

#include <stdbool.h>
#include <stdint.h>

/* What the run took, as wait4 tells it: of the program and the children it waited for. */
struct run_usage {
    bool known; /* it has ended */
    int64_t wall_ns, user_ns, system_ns;
    int64_t max_rss_bytes;      /* of the largest of them */
    int64_t page_faults;        /* without IO */
    int64_t waits, preemptions; /* context switches because it waited, because its time was up */
};

/* Loiter's own share, from looks at the program's threads from outside. */
struct run_own {
    int64_t looks;     /* at a thread; 0: nothing is known */
    int64_t inside;    /* that found it inside Loiter's own code */
    int64_t inside_ns; /* the time they stand for, over all threads */
};

struct run_info {
    char *command; /* words separated by a space; NULL: nothing is known of the run */
    int pid;
    int64_t started_ns, ended_ns; /* CLOCK_REALTIME; ended 0 while it runs */
    bool exited;                  /* `status` counts, else `signal` */
    int status, signal;
    bool timed_out;
    double timeout_s; /* 0 for none */
    struct run_usage usage;
    struct run_own own;
};

/* NULL, or a message, to be freed. A missing file is no error: command stays NULL. */
char *run_info_read(struct run_info *r, const char *dir);
char *run_info_write(const struct run_info *r, const char *dir);
void run_info_clear(struct run_info *r);

/* "exited with 0", "was killed by signal 9 (Killed)", "hung: ended after 5 s (--timeout)"; to be
 * freed. NULL when nothing is known. */
char *run_info_ending(const struct run_info *r);

#endif
