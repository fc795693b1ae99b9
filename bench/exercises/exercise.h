/*
 * exercise.h - the further measurements that the exercises ask for, beside each pitfall and its
 * mend. Each prints figures, one a line: row, column and number, with tabs between; what they mean
 * says exercises.py, which runs them and makes tables.
 */
#ifndef BENCH_EXERCISES_EXERCISE_H
#define BENCH_EXERCISES_EXERCISE_H

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <weft.h>

struct exercise {
    const char *name; /* NULL: the end of the table */
    void (*run)(void);
};
extern const struct exercise exercises_locks[], exercises_tasks[];

/* How many operations: a number for a second or so, less when it is only tried. */
extern long scale;

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                        \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

static inline long now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000L + t.tv_nsec;
}

static inline void figure(const char *row, const char *column, double value)
{
    printf("%s\t%s\t%.6g\n", row, column, value);
}

/* Runs fn(0) to fn(tasks - 1) in tasks of their own; gives the nanoseconds until all are done. */
long among(long tasks, void (*fn)(void *number));

/* Of so many durations: the share of them below. Sorts them. */
long quantile(long *durations, long n, double share);

#endif
