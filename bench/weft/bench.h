/*
 * bench.h - what the workloads of weft_bench share. Each file of workloads has a table of them, and
 * does the same as the function of that name in the Go programs.
 */
#ifndef BENCH_WEFT_BENCH_H
#define BENCH_WEFT_BENCH_H

#include <weft.h>

struct bench_workload {
    const char *name; /* NULL: the end of the table */
    void (*run)(void);
};

extern const struct bench_workload bench_tasks[], bench_chans[], bench_times[], bench_syncs[],
    bench_shared[];

/* How many operations the workload shall do. */
extern long bench_n;

/* What is computed goes here, so that it is computed. */
extern volatile long bench_sink;

/* Tasks of the workload that have not ended. */
extern struct weft_waitgroup bench_group;

/* One more figure of the workload, beside its time. */
void bench_figure(const char *name, long value);

/* Bytes of memory that are resident now. */
long bench_resident(void);

#endif
