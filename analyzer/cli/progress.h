/*
 * progress.h - a line on the terminal for what takes longer than a moment.
 */
#ifndef PROGRESS_H
#define PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct progress {
    FILE *out;      /* NULL: nothing is shown */
    double begin_s; /* nothing is shown for a second */
    double last_s;  /* of the last change */
    bool shown;     /* there is a line to remove */
};

/* Shown on standard error, if that is a terminal. */
void progress_begin(struct progress *p);
/* "loiter: reading the log: 40 %"; a `total` of 0 gives no share. */
void progress_show(struct progress *p, const char *what, uint64_t done, uint64_t total);
/* Removes the line. */
void progress_end(struct progress *p);

/* For tests: the same at a given time of CLOCK_MONOTONIC. */
void progress_show_at(struct progress *p, double now_s, const char *what, uint64_t done,
                      uint64_t total);

#endif
