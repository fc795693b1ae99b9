/*
 * wait.h - a call that may block, on its way through a wrapper.
 *
 *     struct pl_wait w;
 *     pl_wait_begin(&w, EL_WAIT_READ, (uint64_t)fd, 0, PL_CALL());
 *     ssize_t n = PL_REAL(read)(fd, buf, len);
 *     pl_wait_end(&w, n < 0 ? errno : 0);
 *     return n;
 *
 * Both keep errno, do nothing when the thread does not record, and may be called without a guard
 * on (they take it for themselves; it is off while the real call runs). In between, the actor's
 * cell says what it waits for, where and since when. At the end a wait of 1 ms or more becomes a
 * `wait` event within the budget of its place, and when locks were held a `lock_io` event and the
 * totals of its place.
 *
 * What is a lock_io: a wait for the outside (kind >= 32) with any lock held; a wait inside the
 * program (kinds 16 to 31) with a lock held, except the lock that the wait gives up (`releases`).
 */
#ifndef PRELOAD_CORE_WAIT_H
#define PRELOAD_CORE_WAIT_H

#include <stdint.h>

#include "eventlog/kinds.h"
#include "preload/core/call.h"
#include "preload/core/gate.h"

struct pl_wait {
    struct pl_actor *actor; /* NULL: not recorded */
    struct pl_wait *outer;
    uint64_t began;
    uint64_t object;
    uint32_t kind;
    uint32_t stack;
    const void *releases; /* lock given up while waiting, NULL for none */
    uint64_t waker;       /* set by who knows it, before pl_wait_end */
    /* the wait that this one interrupted (a signal handler's call), put back at the end */
    uint32_t outer_kind, outer_stack;
    uint64_t outer_object, outer_since;
    uint32_t outer_flags, pad;
};

/* `timed`: the wait ends by itself (a timeout was given). Returns 1 when recorded. */
PL_HIDDEN int pl_wait_begin(struct pl_wait *w, enum el_wait_kind kind, uint64_t object, int timed,
                            struct pl_call call);
PL_HIDDEN void pl_wait_end(struct pl_wait *w, int error);

/* The same with a lock that is given up during the wait. */
PL_HIDDEN int pl_wait_begin_releasing(struct pl_wait *w, enum el_wait_kind kind, uint64_t object,
                                      int timed, const void *releases, struct pl_call call);

#endif
