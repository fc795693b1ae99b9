/*
 * compare_runs.h - where the runs of a comparison come from: logs that are there, or programs that
 * are run for it.
 */
#ifndef COMPARE_RUNS_H
#define COMPARE_RUNS_H

#include <stdbool.h>

#include "analyzer/cli/judge.h"
#include "analyzer/cli/session.h"
#include "analyzer/compare/comparison.h"

struct compare_source {
    struct judge_options judge;
    struct session_options session; /* dir: where the logs go; NULL: they are removed */
    unsigned count;                 /* runs of each program */
    bool plain;                     /* times are taken of runs that are not recorded */
    bool any_status;                /* a program may fail */
};

/* Adds the log in the directory, or those in the folders of it. 0, or an exit code: the reason was
 * said. */
int compare_add_logs(struct comparison *c, enum side side, const char *dir,
                     struct compare_source *from);

/* Runs the two commands in turn and adds their runs. 0, or an exit code, likewise. */
int compare_run(struct comparison *c, char *const commands[SIDES], struct compare_source *from);

#endif
