/*
 * run_info.h - DIR/run.json: what the launcher knows of a run. Written by `loiter run` and
 * `loiter record`, read by whatever reports later.
 */
#ifndef RUN_INFO_H
#define RUN_INFO_H

#include <stdbool.h>
#include <stdint.h>

struct run_info {
    char *command; /* words separated by a space; NULL: nothing is known of the run */
    int pid;
    int64_t started_ns, ended_ns; /* CLOCK_REALTIME; ended 0 while it runs */
    bool exited;                  /* `status` counts, else `signal` */
    int status, signal;
    bool timed_out;
    double timeout_s; /* 0 for none */
};

/* NULL, or a message, to be freed. A missing file is no error: command stays NULL. */
char *run_info_read(struct run_info *r, const char *dir);
char *run_info_write(const struct run_info *r, const char *dir);
void run_info_clear(struct run_info *r);

/* "exited with 0", "was killed by signal 9 (Killed)", "hung: ended after 5 s (--timeout)"; to be
 * freed. NULL when nothing is known. */
char *run_info_ending(const struct run_info *r);

#endif
