/*
 * tsc.c - see tsc.h. Measured here, once, so that each recorded process need not.
 */
#include "analyzer/cli/tsc.h"

#include <time.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <x86intrin.h>

#define MEASURE_NS 10000000

struct reading {
    uint64_t tsc, ns;
};

/* Both clocks together: of several tries the one that was interrupted least. */
static struct reading read_clocks(void)
{
    struct reading best = {0, 0};
    uint64_t least = UINT64_MAX;
    for (int i = 0; i < 8; i++) {
        struct timespec t;
        uint64_t before = __rdtsc();
        clock_gettime(CLOCK_MONOTONIC_RAW, &t);
        uint64_t after = __rdtsc();
        if (after - before >= least)
            continue;
        least = after - before;
        best.tsc = before + least / 2;
        best.ns = (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
    }
    return best;
}

static int is_invariant(void)
{
    unsigned a, b, c, d;
    return __get_cpuid(0x80000007, &a, &b, &c, &d) && (d & (1u << 8));
}

uint64_t tsc_hz(void)
{
    if (!is_invariant())
        return 0;
    struct reading first = read_clocks(), last;
    struct timespec pause = {0, MEASURE_NS};
    nanosleep(&pause, NULL);
    last = read_clocks();
    if (last.ns <= first.ns || last.tsc <= first.tsc)
        return 0;
    return (uint64_t)((unsigned __int128)(last.tsc - first.tsc) * 1000000000 /
                      (last.ns - first.ns));
}

#else

uint64_t tsc_hz(void)
{
    return 0;
}

#endif
