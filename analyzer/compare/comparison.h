/*
 * comparison.h - two sides of a comparison, each of one or several judged runs: their metrics, the
 * findings that are gone, new or kept, and the bars that are broken.
 *
 * Runs are added one by one, so that no model needs to be kept; comparison_settle then reckons.
 */
#ifndef COMPARISON_H
#define COMPARISON_H

#include <stdbool.h>
#include <stddef.h>

#include "analyzer/compare/bar.h"
#include "analyzer/compare/metrics.h"
#include "analyzer/compare/stats.h"
#include "analyzer/rules/finding.h"

struct gate;

enum side { BEFORE, AFTER, SIDES };

/* A metric that some run knows and that is not 0 throughout. */
struct comparison_row {
    const struct metric *metric;
    double *values[SIDES]; /* those that are known, sorted */
    size_t n[SIDES];
    struct stats_summary summary[SIDES]; /* where n is not 0 */
    bool both;                           /* both sides know it: what follows counts */
    double change;                       /* as a fraction; NAN from 0 */
    double p;
    bool can_tell;    /* so many runs can differ significantly */
    bool significant; /* they do */
    int better;       /* 1 better, -1 worse, 0 the same or cannot be told */
};

/* Findings with one fingerprint, over all runs of both sides. Notes are left out. */
struct comparison_finding {
    char *fingerprint, *rule, *title, *place; /* of the last run that has it; place may be NULL */
    enum severity severity;
    size_t runs[SIDES];  /* how many runs have it */
    double count[SIDES]; /* the most things it stands for in one of them */
    char *cost[SIDES];   /* the main cost there, in words; NULL for none */
};

enum finding_fate { FINDING_GONE, FINDING_NEW, FINDING_KEPT, FINDING_FATES };

struct comparison_bar {
    struct bar bar;
    bool broken;
    char *why; /* "peak_tasks rose from 16 to 10000", when it is broken */
};

struct comparison {
    struct metrics metrics;
    const char *label[SIDES];
    double **runs[SIDES]; /* [run][metric] */
    size_t nruns[SIDES];
    struct comparison_row *rows;
    size_t nrows;
    struct comparison_finding *findings;
    size_t nfindings;
    struct comparison_bar *bars;
    size_t nbars;
    char **warnings; /* on runs and records */
    size_t nwarnings;
    bool doubtful; /* a run failed or its record is incomplete: what looks better may not be */
};

void comparison_init(struct comparison *c);
void comparison_clear(struct comparison *c);

/* NULL, or what is wrong with the text, to be freed. After all metrics are known. */
char *comparison_add_bar(struct comparison *c, const char *text);
/* Takes `text`. */
void comparison_warn(struct comparison *c, char *text);

/* `values` has one for each metric, NAN where it is not known; it is taken. */
void comparison_add_run(struct comparison *c, enum side side, double *values,
                        const struct gate *gate);
void comparison_settle(struct comparison *c);

enum finding_fate comparison_fate(const struct comparison_finding *f);
/* How many findings have that fate. */
size_t comparison_count(const struct comparison *c, enum finding_fate fate);
/* Whether some bar is broken. */
bool comparison_is_worse(const struct comparison *c);

#endif
