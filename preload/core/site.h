/*
 * site.h - totals of places. A site is known by its kind and one or two stacks. Guard on.
 */
#ifndef PRELOAD_CORE_SITE_H
#define PRELOAD_CORE_SITE_H

#include <stdint.h>

#include "eventlog/events.h"
#include "eventlog/kinds.h"
#include "preload/core/gate.h"

/*
 * A counter that mostly one thread moves: the first that does so counts without a locked
 * instruction, the others have one word for all of them.
 */
struct pl_thread;
struct pl_tally {
    _Atomic(const struct pl_thread *) owner;
    uint64_t own;
    uint64_t others;
};

static inline uint64_t pl_tally_sum(const struct pl_tally *tally)
{
    return __atomic_load_n(&tally->own, __ATOMIC_RELAXED) +
           __atomic_load_n(&tally->others, __ATOMIC_RELAXED);
}

PL_HIDDEN uint64_t pl_tally_share(struct pl_tally *tally, const struct pl_thread *thread);

/* Counts one; gives the sum. */
static inline uint64_t pl_tally(struct pl_tally *tally, const struct pl_thread *thread)
{
    if (__builtin_expect(atomic_load_explicit(&tally->owner, memory_order_relaxed) != thread, 0))
        return pl_tally_share(tally, thread);
    uint64_t own = tally->own + 1;
    __atomic_store_n(&tally->own, own, __ATOMIC_RELAXED);
    return own + __atomic_load_n(&tally->others, __ATOMIC_RELAXED);
}

/* A site's cell and its budget of events. */
struct pl_site {
    struct el_site *cell;      /* never NULL */
    _Atomic uint64_t paid;     /* clock value up to which the events written are paid for */
    _Atomic uint64_t next_pop; /* live count at which the next `population` event is due */
    struct pl_tally made, ended;
    _Atomic(struct el_lineage *) lineage;  /* core/lineage.c; NULL: its children make none here */
    _Atomic(struct el_capture *) captures; /* heap/capture.c; NULL: nothing was looked at yet */
    _Atomic uint32_t passed;               /* of its samples, since the last that was looked at */
    uint64_t bytes_each; /* of each that was born here so far, UINT64_MAX: they differ */
};

/* Finds or makes; NULL when there is no room. */
PL_HIDDEN struct pl_site *pl_site_get(enum el_site_kind kind, uint32_t stack, uint32_t stack2);

/* One use of the place that took `ticks` and moved `bytes`. */
PL_HIDDEN void pl_site_add(struct pl_site *site, uint64_t ticks, uint64_t bytes);

/* One more alive (made), one less. pl_site_born writes the `population` event where due and gives
 * the number that is alive now. */
PL_HIDDEN uint64_t pl_site_born(struct pl_self *self, struct pl_site *site, uint64_t bytes,
                                uint64_t now);
PL_HIDDEN void pl_site_died(struct pl_site *site);

/* What is alive at each place, as it stands: two threads that counted at once may have left the
 * older of their sums in the cell. */
PL_HIDDEN void pl_sites_settle(void);

/* May an event of this place be written now? A bucket of tokens: a burst, then so many a second,
 * and fewer where the log fills. */
PL_HIDDEN int pl_site_budget(struct pl_site *site, uint64_t now);

PL_HIDDEN void pl_sites_reset(void);

/* Stores the larger value. pl_raise_simply: of two threads that do it at once one may have done it
 * for nothing. */
PL_HIDDEN void pl_raise(uint64_t *to, uint64_t value);
static inline void pl_raise_simply(uint64_t *to, uint64_t value)
{
    if (__atomic_load_n(to, __ATOMIC_RELAXED) < value)
        __atomic_store_n(to, value, __ATOMIC_RELAXED);
}

#endif
