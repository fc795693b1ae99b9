/*
 * spin.h - rows of calls that ask again and again without waiting: yields, tries that fail, polls
 * that do not wait, or sleep for a moment only. Counted by the block: what a single one costs is a
 * counter of the thread.
 *
 * A row is one actor's. It ends when the actor waits, goes on with another thread, or does
 * something between the calls (options.def: spin_work_us of processor time for each).
 */
#ifndef PRELOAD_CORE_SPIN_H
#define PRELOAD_CORE_SPIN_H

#include <stdint.h>

#include "preload/core/actor.h"
#include "preload/core/call.h"

#define PL_SPIN_BLOCK 256

/* The current actor made `n` such calls since this was called last. Guard on. */
PL_HIDDEN void pl_spin_block(struct pl_self *self, enum el_spin_kind kind, uint32_t n,
                             uint32_t stack);

PL_HIDDEN __attribute__((cold)) void pl_spin_slowly(enum el_spin_kind kind, struct pl_call call);

/* A plain thread made one: 1 when that is pl_spin_slowly's to know. No guard. */
PL_INLINE int pl_spin_counts(void)
{
    return pl_is_ready() && ++pl_self_block.spins % PL_SPIN_BLOCK == 0;
}

PL_INLINE void pl_spin(enum el_spin_kind kind, struct pl_call call)
{
    if (__builtin_expect(pl_spin_counts(), 0))
        pl_spin_slowly(kind, call);
}

/* Since a block of a row was looked at, and since the last poll. */
#define PL_HAD_SPIN 1u
#define PL_HAD_POLL 2u

/* It had what it asked for: its row is over. */
static inline void pl_spin_not(void)
{
    pl_self_block.spins_had = PL_HAD_SPIN | PL_HAD_POLL;
}

/* The thread has the lock: that may be the one which it tried in vain. The short ways of a lock do
 * not ask: no place goes them more than PL_TRUST_MOST times in a row, and a row of tries that is
 * worth telling is much longer. */
static inline void pl_spin_had(const void *lock)
{
    if (__builtin_expect(pl_self_block.tried == lock, 0)) {
        pl_self_block.tried = NULL;
        pl_spin_not();
    }
}

/* The thread slept for a moment, by a call that was recorded as a wait. `before`: when it waited
 * last before that, as pl_spin_waited told it, or the wait, when it is over. No guard. */
PL_HIDDEN void pl_spin_napped(uint64_t before, struct pl_call call);
static inline uint64_t pl_spin_waited(void)
{
    const struct pl_actor *actor = pl_self_block.actor;
    return actor != NULL ? pl_actor_waited(actor) : 0;
}

/* Not of one that was not recorded. */
static inline uint64_t pl_spin_waited_before(const struct pl_wait *w)
{
    return pl_actor_wait_stamp(w->actor, w->before);
}

/* A poll that waits found nothing but what may be written. `what`: where, never 0. The rest as
 * above.
 */
PL_HIDDEN void pl_spin_writable(uint64_t what, uint64_t before, struct pl_call call);

/* A poll that waits found something: 1 when the thread had nothing and waited for nothing since the
 * last one did, so that this may be what that one found. `before` as above. No guard. */
static inline int pl_spin_polled(uint64_t before)
{
    struct pl_self *self = &pl_self_block;
    const int again = self->polled_at == before && (self->spins_had & PL_HAD_POLL) == 0;
    self->spins_had &= ~PL_HAD_POLL;
    self->polled_at = pl_actor_waited(self->actor);
    return again;
}
PL_HIDDEN void pl_spin_untaken(uint64_t what, uint64_t before, struct pl_call call);

/* A read found the end of the stream `fd`, which says the same for good. No guard; keeps errno. */
PL_HIDDEN void pl_spin_at_end(int fd, uint64_t what, struct pl_call call);

/* A call failed for what will not be otherwise soon, and was made for that reason or in spite of
 * it: accept without a descriptor left, connect where nobody listens. Other waits may lie between.
 * `what` was asked for. No guard; keeps errno. */
PL_HIDDEN void pl_spin_refused(enum el_spin_kind kind, uint64_t what, struct pl_call call);

/* At the start and in a fork child. */
PL_HIDDEN void pl_spins_reset(void);

#endif
