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
 * What is a lock_io: a wait for the outside (kind >= 32), or inside the program but not for a lock
 * (kinds 16 to 31), with a lock held. The lock that a condition gives up while it waits is not held
 * then: its wrapper takes it off the list and puts it back.
 */
#ifndef PRELOAD_CORE_WAIT_H
#define PRELOAD_CORE_WAIT_H

#include <stdint.h>

#include "eventlog/kinds.h"
#include "preload/core/call.h"
#include "preload/core/gate.h"
#include "preload/core/unwind.h"

struct pl_wait {
    struct pl_object *record; /* of what is waited for inside the program, NULL for the outside */
    uint64_t began;
    uint64_t object;
    /* Of tasks, for one more like it: a number for what has been learned, in pl_object.waiter too
     * (0: there is more to do than for most); the kind (0: it must not be taken for another); how
     * often a look is enough; the call; and what its caller's return address is and where it lies.
     */
    uint64_t token;
    uint32_t again, turns;
    uintptr_t sp, caller;
    const uintptr_t *at;

    /* the second line, of a task's */
    uintptr_t word;
    struct el_object *object_cell; /* of the record */
    struct pl_waited *waited;      /* of a wait group */
    uintptr_t place;               /* with `slot`: the entry that knows all frames */
    uint32_t slot;                 /* as of pl_stack_slot_of */
    uint32_t kind;
    uint32_t stack;
    uint16_t timed;
    uint16_t plain;         /* begun on the short way: see wait_plain.c */
    struct pl_actor *actor; /* NULL: not recorded */
    uint32_t here;          /* the cell's waits_here, for when an inner wait is over */
    uint32_t epoch;

    struct pl_wait *outer; /* the wait that this one interrupted (a signal handler's call) */
    uint64_t io_ticks;     /* of the object when the wait began */
    uint64_t waker;        /* may be set by who knows it, before pl_wait_end */
    uint64_t waker_creator;
    const struct pl_site *waker_site;
    uint32_t level;  /* place in pl_self.waits, from 1; 0: none */
    uint32_t wakes;  /* of the object when the wait began */
    uint32_t holds;  /* it is counted as one that holds its thread: blocked.h */
    uint64_t before; /* the cell's `since` of the wait before */
};

/* `timed`: the wait ends by itself (a timeout was given). Returns 1 when recorded. */
PL_HIDDEN int pl_wait_begin_at(struct pl_wait *w, uint32_t kind_and_timed, uint64_t object,
                               uintptr_t pc, uintptr_t sp, uintptr_t fp);
static inline int pl_wait_begin(struct pl_wait *w, enum el_wait_kind kind, uint64_t object,
                                int timed, struct pl_call call)
{
    return pl_wait_begin_at(w, (uint32_t)kind << 1 | (timed != 0), object, call.pc, call.sp,
                            call.fp);
}
PL_HIDDEN void pl_wait_end(struct pl_wait *w, int error);

/* Both, of any wait. */
PL_HIDDEN int pl_wait_begin_any(struct pl_wait *w, uint32_t kind_and_timed, uint64_t object,
                                struct pl_call call);
PL_HIDDEN void pl_wait_end_any(struct pl_wait *w, int error);

/* In its place, when the call found that there was nothing to wait for. */
PL_HIDDEN void pl_wait_was_none(struct pl_wait *w);

/* Guard on. Forgets the waits that were left without an end (siglongjmp), as the stack of a call
 * shows, and those beyond a level. */
PL_HIDDEN void pl_waits_left(struct pl_self *self, const struct pl_call *call);
PL_HIDDEN void pl_waits_drop(struct pl_self *self, uint32_t level);

/* Guard on. Sets w->outer: the innermost wait that still goes on. The second takes w out again. */
static inline void pl_wait_nest(struct pl_self *self, struct pl_wait *w, struct pl_call call)
{
    if (__builtin_expect(self->wait_count != 0, 0)) {
        const struct pl_call here = call;
        pl_waits_left(self, &here);
    }
    w->outer = self->wait_count == 0 ? NULL : self->waits[self->wait_count - 1].wait;
    w->level = 0;
    if (self->wait_count == PL_WAITS_MAX)
        return;
    self->waits[self->wait_count] = (struct pl_wait_mark){w, pl_plain_address(call.pc), w->record};
    w->level = ++self->wait_count;
}

static inline void pl_wait_unnest(struct pl_self *self, const struct pl_wait *w)
{
    if (w->level == 0 || w->level > self->wait_count || self->waits[w->level - 1].wait != w)
        return;
    if (__builtin_expect(self->wait_count > w->level, 0))
        pl_waits_drop(self, w->level);
    self->wait_count--;
}

/*
 * A contended lock is held when its wait is over: what there is to write of the wait is kept back
 * until the thread gives a lock back, waits again or ends, so that recording makes no contention.
 */
PL_HIDDEN void pl_wait_write_late(void);
static inline void pl_wait_flush(void)
{
    if (pl_is_on() && __builtin_expect(pl_self()->pending, 0))
        pl_wait_write_late();
}

/* Guard on. The thread is about to give a lock back: what was kept of the wait for a word (see
 * word.h) is written now, since whoever waits for the lock is told what of its wait that was. */
PL_HIDDEN void pl_wait_settle(struct pl_self *self);

/* Guard on: writes what a wait that ended at `now` leaves behind. For waits that are announced. */
PL_HIDDEN void pl_wait_note(struct pl_self *self, const struct pl_wait *w, uint64_t now,
                            uint64_t io_ticks, int error);

/* The current actor is about to wait at `now`: the places of the locks that it holds become sure.
 */
PL_HIDDEN void pl_held_revise(struct pl_self *self, struct pl_call now);

/* The object of a join is a thread, that of a select several: neither has a cell. */
static inline int pl_wait_has_object(uint32_t kind)
{
    return el_wait_is_inside(kind) && kind != EL_WAIT_JOIN && kind != EL_WAIT_SELECT;
}

/* What is waited for in a wait of that kind. */
PL_HIDDEN enum el_object_kind pl_object_kind_of(uint32_t wait_kind);

#endif
