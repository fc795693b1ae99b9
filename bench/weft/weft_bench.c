/*
 * weft_bench WORKLOAD N: one workload of Weft in a fresh process. Prints its wall time, its CPU
 * time, the peak memory and what else the workload measures. compare.py runs it beside others.
 */
#include "bench/weft/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "runtime/test/number.h"

#define FIGURES_MAX 8

long bench_n;
volatile long bench_sink;
struct weft_waitgroup bench_group;

static const struct bench_workload *const tables[] = {bench_tasks, bench_chans, bench_times,
                                                      bench_syncs, bench_shared};
static struct {
    const char *name;
    long value;
} figures[FIGURES_MAX];
static int figure_count;

void bench_figure(const char *name, long value)
{
    if (figure_count == FIGURES_MAX)
        abort();
    figures[figure_count].name = name;
    figures[figure_count++].value = value;
}

long bench_resident(void)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "re");
    if (f == NULL || fscanf(f, "%*d %ld", &pages) != 1)
        abort();
    fclose(f);
    return pages * sysconf(_SC_PAGESIZE);
}

/* Not of getrusage: its peak is also that of the process that called exec. */
static long peak_kb(void)
{
    char line[256];
    long kb = -1;
    FILE *f = fopen("/proc/self/status", "re");
    while (f != NULL && kb < 0 && fgets(line, sizeof line, f) != NULL)
        sscanf(line, "VmHWM: %ld", &kb);
    if (kb < 0)
        abort();
    fclose(f);
    return kb;
}

static int64_t cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec * WEFT_S + t.tv_nsec;
}

static void measure(void *arg)
{
    const struct bench_workload *workload = arg;
    int64_t wall = weft_now(), cpu = cpu_ns();
    workload->run();
    wall = weft_now() - wall;
    cpu = cpu_ns() - cpu;
    printf("ns=%ld cpu=%ld rss_kb=%ld", (long)wall, (long)cpu, peak_kb());
    for (int i = 0; i < figure_count; i++)
        printf(" %s=%ld", figures[i].name, figures[i].value);
    putchar('\n');
}

static const struct bench_workload *find(const char *name)
{
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        for (const struct bench_workload *w = tables[i]; w->name != NULL; w++) {
            if (strcmp(name, w->name) == 0)
                return w;
        }
    }
    return NULL;
}

int main(int argc, char **argv)
{
    const struct bench_workload *workload = argc == 3 ? find(argv[1]) : NULL;
    bench_n = argc == 3 ? number_read("N", argv[2], 1, LONG_MAX) : 0;
    if (workload != NULL && bench_n > 0)
        return weft_run(measure, (void *)(uintptr_t)workload) != 0;
    fprintf(stderr, "usage: weft_bench WORKLOAD N\n");
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        for (const struct bench_workload *w = tables[i]; w->name != NULL; w++)
            fprintf(stderr, "  %s\n", w->name);
    }
    return 2;
}
