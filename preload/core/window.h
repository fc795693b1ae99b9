/*
 * window.h - whether waits are recorded now: totals and events of what is over.
 *
 * What is alive is always followed: threads, tasks, timers, who waits and who holds what.
 * Forgetting that for a while would make false findings, and it costs little. Outside the window
 * what is over leaves no trace: neither totals nor events nor bytes.
 *
 * The window is given by options (delay_ms, window_ms, sample_on_ms of sample_every_ms) counted
 * from the beginning of the record, and by a word in the record's summary that `loiter ctl` sets: a
 * program is told without a signal, a socket or a thread of ours.
 */
#ifndef PRELOAD_CORE_WINDOW_H
#define PRELOAD_CORE_WINDOW_H

#include <stdint.h>

#include "preload/core/gate.h"

/* The options in ticks: when a record begins. */
PL_HIDDEN void pl_window_init(void);

/* Is a wait that ends at `now` recorded? Counts those that are not. */
PL_HIDDEN int pl_window_open(uint64_t now);

/* How much longer an event's turn is, as a power of two, the fuller the log is: from half of its
 * bound on it doubles with each sixteenth. PL_THIN_NONE: events of waits are counted only. */
#define PL_THIN_NONE 64u
PL_HIDDEN unsigned pl_window_thinning(uint64_t now);

#endif
