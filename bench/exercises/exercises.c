/* exercises.c - exercises NAME [SCALE]: runs one of them in a run of Weft. See exercise.h. */
#include "bench/exercises/exercise.h"

#include <string.h>

#include "runtime/test/number.h"

long scale = 1000000;

static int compare(const void *a, const void *b)
{
    const long *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

long quantile(long *durations, long n, double share)
{
    qsort(durations, (size_t)n, sizeof *durations, compare);
    long i = (long)((double)n * share);
    return durations[i < n ? i : n - 1];
}

long among(long tasks, void (*fn)(void *number))
{
    struct weft_waitgroup all = {0};
    long began = now_ns();
    for (long i = 0; i < tasks; i++)
        MUST(weft_waitgroup_go(&all, fn, (void *)i) == 0);
    weft_waitgroup_wait(&all);
    return now_ns() - began;
}

static void run(void *arg)
{
    const struct exercise *e = arg;
    e->run();
}

static const struct exercise *find(const struct exercise *table, const char *name)
{
    for (; table->name; table++)
        if (strcmp(table->name, name) == 0)
            return table;
    return NULL;
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    const struct exercise *e = find(exercises_locks, name);
    if (!e)
        e = find(exercises_tasks, name);
    if (!e) {
        fprintf(stderr, "usage: exercises NAME [SCALE]\n");
        return 2;
    }
    if (argc > 2)
        scale = number_read("SCALE", argv[2], 1, LONG_MAX);
    return weft_run(run, (void *)(size_t)e) == 0 ? 0 : 1;
}
