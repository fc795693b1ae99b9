/*
 * blocked.h - how many OS threads are held in blocking calls at one time. Guard on.
 *
 * A runtime's blocking calls are counted at the place of the call; plain threads that wait for the
 * outside at the place that made the threads, once the process has so many threads that it matters.
 */
#ifndef PRELOAD_CORE_BLOCKED_H
#define PRELOAD_CORE_BLOCKED_H

#include <stdint.h>

#include "preload/core/actor.h"
#include "preload/core/wait.h"

#define PL_BLOCKED_FROM 64 /* threads alive */

/* Threads of the process that are alive, as far as they are known. */
extern PL_HIDDEN _Atomic uint32_t pl_threads_alive;

/* A plain thread's wait begins, or is over. */
PL_HIDDEN void pl_blocked_wait_counts(struct pl_self *self, struct pl_wait *w);
PL_HIDDEN void pl_blocked_wait_ends(struct pl_wait *w, uint64_t now);

static inline void pl_blocked_wait_begins(struct pl_self *self, struct pl_wait *w)
{
    w->holds = 0;
    if (__builtin_expect(
            atomic_load_explicit(&pl_threads_alive, memory_order_relaxed) >= PL_BLOCKED_FROM, 0))
        pl_blocked_wait_counts(self, w);
}

/* `actor` holds a thread at `site` from now on; `other` is the second place to show with it. */
PL_HIDDEN void pl_blocked_begins(struct pl_self *self, struct pl_actor *actor, struct pl_site *site,
                                 uint32_t other, uint64_t bytes, uint64_t now);
/* It does no longer, after so long; nothing where it held none. */
PL_HIDDEN void pl_blocked_ends(struct pl_actor *actor, uint64_t ticks);

#endif
