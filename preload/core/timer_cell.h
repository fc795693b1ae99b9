/*
 * timer_cell.h - cells of timers and tickers, of whatever kind.
 *
 * `object` is an address, a descriptor or an id, unique within its kind. All are called with the
 * guard on.
 */
#ifndef PRELOAD_CORE_TIMER_CELL_H
#define PRELOAD_CORE_TIMER_CELL_H

#include <stdint.h>

#include "eventlog/events.h"
#include "eventlog/kinds.h"
#include "preload/core/call.h"
#include "preload/core/gate.h"

/* None is 0 or 1. */
PL_INLINE uint64_t pl_timer_key(enum el_object_kind kind, uint64_t object)
{
    return object ^ (uint64_t)(kind + 1) << 56;
}

/* Made, not armed. */
PL_HIDDEN void pl_timer_created(struct pl_self *self, enum el_object_kind kind, uint64_t object,
                                uint32_t stack);
/* Made by timer_create, which was called there; see timer_brief.h. */
PL_HIDDEN void pl_timer_posix_created(struct pl_self *self, uint64_t id, struct pl_call call);
/* One that timer_brief.h had gets its cell; its place has counted it. */
PL_HIDDEN void pl_timer_shown(uint64_t key, uint64_t creator, uint32_t stack, uint64_t now);
/* Set; made first when it has no cell. flags: el_timer_flags. */
PL_HIDDEN void pl_timer_armed(struct pl_self *self, enum el_object_kind kind, uint64_t object,
                              uint64_t first_ns, uint64_t period_ns, uint32_t flags,
                              uint32_t stack);
PL_HIDDEN void pl_timer_stopped(enum el_object_kind kind, uint64_t object);
PL_HIDDEN void pl_timer_fired(enum el_object_kind kind, uint64_t object, uint64_t times,
                              uint64_t dropped);
/* Somebody took a tick: a read of the timerfd, of the tick channel. */
PL_HIDDEN void pl_timer_used(struct pl_self *self, enum el_object_kind kind, uint64_t object);
/* Nobody of the program can use it any more, though it has not fired; `stack` is where that came
 * about. */
PL_HIDDEN void pl_timer_dropped(struct el_timer *cell, uint32_t stack);
/* What a timer of that kind takes of memory, as its maker says. */
PL_HIDDEN void pl_timer_bytes(enum el_object_kind kind, uint64_t bytes);
PL_HIDDEN void pl_timer_destroyed(enum el_object_kind kind, uint64_t object);
/* In a fork child, and at the start. Timers of POSIX do not survive a fork; descriptors do, but who
 * made them is not this process. */
PL_HIDDEN void pl_timers_reset(void);

/* The runtime's run that timers made now belong to, 0 outside of one. */
extern PL_HIDDEN uint32_t pl_timer_run;

/* The run ended: its timers that are armed now are flagged; their cells stay as they are. */
PL_HIDDEN void pl_timers_abandon(uint32_t run);

/* The cell, NULL when there is none. */
PL_HIDDEN struct el_timer *pl_timer_find(enum el_object_kind kind, uint64_t object);

#endif
