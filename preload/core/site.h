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

PL_INLINE uint64_t pl_tally_sum(const struct pl_tally *tally)
{
    return __atomic_load_n(&tally->own, __ATOMIC_RELAXED) +
           __atomic_load_n(&tally->others, __ATOMIC_RELAXED);
}

PL_HIDDEN uint64_t pl_tally_share(struct pl_tally *tally, const struct pl_thread *thread,
                                  uint64_t n);

/* Counts `n` by whoever is not the owner; gives the sum. */
PL_INLINE uint64_t pl_tally_others(struct pl_tally *tally, uint64_t n)
{
    return __atomic_add_fetch(&tally->others, n, __ATOMIC_RELAXED) +
           __atomic_load_n(&tally->own, __ATOMIC_RELAXED);
}

PL_INLINE int pl_tally_is_of(const struct pl_tally *tally, const struct pl_thread *thread)
{
    return atomic_load_explicit(&tally->owner, memory_order_relaxed) == thread;
}

/* Counts `n` by the owner; by whoever it is; gives the sum. */
PL_INLINE uint64_t pl_tally_own(struct pl_tally *tally, uint64_t n)
{
    uint64_t own = tally->own + n;
    __atomic_store_n(&tally->own, own, __ATOMIC_RELAXED);
    return own + __atomic_load_n(&tally->others, __ATOMIC_RELAXED);
}
PL_INLINE uint64_t pl_tally(struct pl_tally *tally, const struct pl_thread *thread, uint64_t n)
{
    if (__builtin_expect(!pl_tally_is_of(tally, thread), 0))
        return pl_tally_share(tally, thread, n);
    return pl_tally_own(tally, n);
}

/* A site's cell and its budget of events. Those who make at the place, those who end what was made
 * there, and who only looks, have a cache line each. */
struct pl_site {
    struct el_site *cell;                  /* never NULL */
    _Atomic(struct el_lineage *) lineage;  /* core/lineage.c; NULL: its children make none here */
    _Atomic(struct el_capture *) captures; /* heap/capture.c; NULL: nothing was looked at yet */
    _Atomic(struct pl_spread *) lives;     /* core/churn.c: of the threads that were made here */
    uint64_t bytes_each;            /* of each that was born here so far, UINT64_MAX: they differ */
    uint64_t start, capture_bytes;  /* of the first task that was made here */
    uint32_t late_made, late_ended; /* that threads have not counted yet, for pl_sites_settle */
    struct pl_tally made __attribute__((aligned(64)));
    _Atomic uint64_t paid;     /* clock value up to which the events written are paid for */
    _Atomic uint64_t next_pop; /* live count at which the next `population` event is due */
    _Atomic uint32_t passed;   /* of its samples, since the last that was looked at */
    struct pl_tally ended __attribute__((aligned(64)));
};

/* Finds or makes; NULL when there is no room. */
PL_HIDDEN struct pl_site *pl_site_get(enum el_site_kind kind, uint32_t stack, uint32_t stack2);

/* One use of the place that took `ticks`, and is over where the clock reads `now`. */
PL_HIDDEN void pl_site_add(struct pl_site *site, uint64_t ticks, uint64_t now);

/* Another thread may have made one, and ended it, since the first was counted. */
PL_INLINE uint64_t pl_site_live(uint64_t made, uint64_t ended)
{
    return made > ended ? made - ended : 0;
}

/* Where all have the same size, their sum needs no counter of its own. */
PL_HIDDEN void pl_site_bytes_differ(struct pl_site *site, uint64_t n, uint64_t bytes,
                                    uint64_t total);
/* A `population` event may be due. */
PL_HIDDEN void pl_site_populated(struct pl_self *self, struct pl_site *site, uint64_t live,
                                 uint64_t total);

/* `n` more are alive (made) of that size each: gives the number that is alive now. `n` less. */
PL_INLINE uint64_t pl_site_takes(struct pl_site *site, uint64_t total, uint64_t now)
{
    struct el_site *cell = site->cell;
    const uint64_t live = pl_site_live(total, pl_tally_sum(&site->ended));
    __atomic_store_n(&cell->count, total, __ATOMIC_RELAXED);
    __atomic_store_n(&cell->live, live, __ATOMIC_RELAXED);
    __atomic_store_n(&cell->last_at, now, __ATOMIC_RELAXED);
    if (live > __atomic_load_n(&cell->peak, __ATOMIC_RELAXED)) {
        __atomic_store_n(&cell->peak, live, __ATOMIC_RELAXED);
        __atomic_store_n(&cell->peak_at, now, __ATOMIC_RELAXED);
    }
    return live;
}
PL_INLINE uint64_t pl_site_born(struct pl_self *self, struct pl_site *site, uint64_t n,
                                uint64_t bytes, uint64_t now)
{
    const uint64_t total = pl_tally(&site->made, self->thread, n);
    const uint64_t live = pl_site_takes(site, total, now);
    if (__builtin_expect(__atomic_load_n(&site->bytes_each, __ATOMIC_RELAXED) == bytes, 1))
        __atomic_store_n(&site->cell->bytes, total * bytes, __ATOMIC_RELAXED);
    else
        pl_site_bytes_differ(site, n, bytes, total);
    if (__builtin_expect(live >= atomic_load_explicit(&site->next_pop, memory_order_relaxed), 0))
        pl_site_populated(self, site, live, total);
    return live;
}
PL_INLINE void pl_site_loses(struct pl_site *site, uint64_t gone)
{
    __atomic_store_n(&site->cell->live, pl_site_live(pl_tally_sum(&site->made), gone),
                     __ATOMIC_RELAXED);
}
PL_INLINE void pl_site_died(struct pl_site *site, const struct pl_thread *thread, uint64_t n)
{
    pl_site_loses(site, pl_tally(&site->ended, thread, n));
}

/* The same for one more, without a call, where that has nothing else to do. So few are exactly
 * counted, and no event tells of them. */
#define PL_SITE_FEW 16
PL_INLINE int pl_site_is_simple(const struct pl_site *site, const struct pl_thread *thread,
                                uint64_t bytes)
{
    return pl_tally_is_of(&site->made, thread) &&
           __atomic_load_n(&site->bytes_each, __ATOMIC_RELAXED) == bytes &&
           __atomic_load_n(&site->cell->peak, __ATOMIC_RELAXED) < PL_SITE_FEW;
}
PL_INLINE uint64_t pl_site_born_simply(struct pl_site *site, uint64_t bytes, uint64_t now)
{
    const uint64_t total = pl_tally_own(&site->made, 1);
    __atomic_store_n(&site->cell->bytes, total * bytes, __ATOMIC_RELAXED);
    return pl_site_takes(site, total, now);
}

/* What is alive at each place, as it stands: two threads that counted at once may have left the
 * older of their sums in the cell. Before it, pl_sites_late makes an end of what was late. */
PL_HIDDEN void pl_sites_late(void);
PL_HIDDEN void pl_sites_settle(void);

/* May an event of this place be written now? A bucket of tokens: a burst, then so many a second,
 * and fewer where the log fills. */
PL_HIDDEN int pl_site_budget(struct pl_site *site, uint64_t now);

PL_HIDDEN void pl_sites_reset(void);

/* Stores the larger value. pl_raise_simply: of two threads that do it at once one may have done it
 * for nothing. */
PL_HIDDEN void pl_raise(uint64_t *to, uint64_t value);
PL_INLINE void pl_raise_simply(uint64_t *to, uint64_t value)
{
    if (__atomic_load_n(to, __ATOMIC_RELAXED) < value)
        __atomic_store_n(to, value, __ATOMIC_RELAXED);
}

#endif
