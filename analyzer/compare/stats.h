/*
 * stats.h - what can be said of a few measured values without assuming how they are distributed:
 * medians, their spread, and whether two samples differ (Mann-Whitney U).
 */
#ifndef STATS_H
#define STATS_H

#include <stdbool.h>
#include <stddef.h>

/* A difference counts when chance alone would give it less often than this. */
#define STATS_ALPHA 0.05

/* From so many values on, the interval around a median is one of confidence. */
#define STATS_INTERVAL_LEAST 6

struct stats_summary {
    double median;
    /* With STATS_INTERVAL_LEAST values and more, an interval that holds the true median with a
     * confidence of at least 95 %; else the least and the greatest value. */
    double low, high;
    bool interval; /* which of the two */
};

/* Sorts the values; n is 1 at least. */
void stats_summarize(struct stats_summary *s, double *values, size_t n);

/* How far the interval goes from the median, as a fraction of it: 0 when all are equal, NAN when
 * the median is 0 and the values are not. */
double stats_spread(const struct stats_summary *s);

/* The two-sided p-value of the U test: exact, with ties, for up to 50 values together; by the
 * normal approximation, corrected for ties and continuity, for more. 1 when all are equal. */
double stats_u_test(const double *a, size_t na, const double *b, size_t nb);

/* Whether samples of these sizes can differ significantly at all. */
bool stats_can_tell(size_t na, size_t nb);
/* The least number of values on each side that can. */
size_t stats_least(void);

#endif
