/*
 * metrics.h - what is compared: names, units, and the value of each in one run.
 *
 * Beside those of metrics.def there are the ones that a program prints itself.
 */
#ifndef METRICS_H
#define METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct model;
struct run_info;

enum metric_id {
#define METRIC(name, unit, over, text) METRIC_##name,
#include "analyzer/compare/metrics.def"
    METRICS_BUILTIN
};

struct metric {
    char *name, *unit, *text; /* unit: "" when the program gave none */
    bool more_is_better;
};

/* The built-in ones first, in the order of enum metric_id. */
struct metrics {
    struct metric *items;
    size_t n;
};

void metrics_init(struct metrics *all);
void metrics_clear(struct metrics *all);
/* SIZE_MAX when there is none of that name. */
size_t metrics_find(const struct metrics *all, const char *name);
/* "NAME" or "NAME:more" (more is better): a number that the program prints. NULL, or what is wrong,
 * to be freed. */
char *metrics_add_printed(struct metrics *all, const char *text);

/* What a judged run gives besides its model. */
struct metric_source {
    const struct model *model;
    const struct run_info *run;
    size_t errors, warnings;
    uint64_t log_bytes;
};

/* The built-in ones, into values[0..METRICS_BUILTIN); NAN for what is not known of the run. */
void metrics_measure(double *values, const struct metric_source *from);

/* The printed ones, from what the program wrote: for each the last line "NAME: NUMBER [UNIT]" or
 * "NAME=NUMBER [UNIT]", blanks before it allowed. Into values[METRICS_BUILTIN..n). The first unit
 * seen becomes the metric's. `output` NULL: nothing is known. */
void metrics_read_printed(struct metrics *all, double *values, const char *output);

#endif
