/*
 * tsc.h - the frequency of the time stamp counter.
 */
#ifndef TSC_H
#define TSC_H

#include <stdint.h>

/* Ticks a second where the counter is a clock (invariant), 0 elsewhere. Takes some milliseconds. */
uint64_t tsc_hz(void);

#endif
