/* clock.c - see clock.h. */
#include "preload/core/clock.h"

#define PAIRS    32u
#define READINGS 8u
#define ROUNDS   3

static uint64_t pairs_ticks(void)
{
    uint32_t word = 0;
    const uint64_t began = pl_now();
    for (uint32_t i = 0; i < PAIRS; i++) {
        __atomic_exchange_n(&word, 1, __ATOMIC_ACQUIRE);
        __atomic_fetch_sub(&word, 1, __ATOMIC_RELEASE);
    }
    return pl_now() - began;
}

static uint64_t readings_ticks(void)
{
    const uint64_t began = pl_now();
    for (uint32_t i = 1; i < READINGS; i++)
        (void)pl_now();
    return pl_now() - began;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* The best of some rounds: the first one fetches code, and others may be interrupted. */
void pl_clock_measure(void)
{
    uint64_t pairs = UINT64_MAX, readings = UINT64_MAX;
    for (int i = 0; i < ROUNDS; i++) {
        pairs = least(pairs, pairs_ticks());
        readings = least(readings, readings_ticks());
    }
    const uint64_t clock = readings / READINGS;
    pairs = pairs > clock ? pairs - clock : 0;
    pl_log.summary->pair_ps = pl_ns_of_ticks(pairs * 1000) / PAIRS;
    pl_log.summary->clock_ps = pl_ns_of_ticks(readings * 1000) / READINGS;
}
