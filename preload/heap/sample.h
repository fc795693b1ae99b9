/*
 * sample.h - which blocks are looked at, and what one of them stands for.
 *
 * Of the bytes that a thread asks for one in `period` is marked, on average, at distances that are
 * drawn anew each time (an exponential distribution, so that no pattern of the program is missed);
 * a block with a marked byte is a sample. A block of s bytes is chosen with probability
 * 1 - exp(-s / period), so it stands for 1 / (1 - exp(-s / period)) blocks of its size: sums of
 * these are unbiased.
 */
#ifndef PRELOAD_HEAP_SAMPLE_H
#define PRELOAD_HEAP_SAMPLE_H

#include <stdint.h>

#include "preload/core/gate.h"

/* Bytes to the next marked one, 1 and up. `state` is the thread's own, and not 0. */
PL_HIDDEN uint64_t pl_sample_distance(uint64_t *state, uint64_t period);

/* What a sample of that size stands for. `salt` decides how fractions are rounded: the same salt
 * gives the same answer. With a period of 0 each block is looked at and stands for itself. */
struct pl_weight {
    uint64_t blocks, bytes;
};
PL_HIDDEN struct pl_weight pl_sample_weight(uint64_t size, uint64_t period, uint64_t salt);

#endif
