/*
 * spread.h - the bins of a `spread` cell: two an octave, from 1 ns to some minutes.
 *
 * Bin 2k holds [2^k, 1.5 * 2^k) ns, bin 2k + 1 what follows up to 2^(k+1). Bin 0 also has 0 ns, the
 * last one all that is longer.
 */
#ifndef EVENTLOG_SPREAD_H
#define EVENTLOG_SPREAD_H

#include <stdint.h>

#define EL_SPREAD_BINS 72

static inline uint32_t el_spread_bin(uint64_t ns)
{
    if (ns < 2)
        return 0;
    uint32_t octave = 63 - (uint32_t)__builtin_clzll(ns);
    uint32_t bin = 2 * octave + (uint32_t)(ns >> (octave - 1) & 1);
    return bin < EL_SPREAD_BINS ? bin : EL_SPREAD_BINS - 1;
}

/* The shortest duration of a bin. */
static inline uint64_t el_spread_from(uint32_t bin)
{
    uint64_t octave = UINT64_C(1) << (bin / 2);
    return bin == 0 ? 0 : bin % 2 == 0 ? octave : octave + octave / 2;
}

#endif
