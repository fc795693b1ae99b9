/*
 * contention.h - what the locks taken at a place are held for, from samples, and how waits for them
 * are spread. Guard on.
 *
 * A sample is an acquisition that goes the longer way anyway, since its place is looked at closely
 * once in some hundred times (core/stack.h): it stands for those since the last look. Two readings
 * of the clock tell how long the lock was held; what there is to add to the record is added when it
 * is held no longer.
 */
#ifndef PRELOAD_CORE_CONTENTION_H
#define PRELOAD_CORE_CONTENTION_H

#include "preload/core/actor.h"
#include "preload/core/clock.h"
#include "preload/core/wait.h"

/* Where places are looked at closely nearly each time, one acquisition in so many of the thread is
 * a sample; the first ones lie closer. Odd: a loop over two locks must not meet the same one each
 * time. */
#define PL_LOCK_EVERY 61

/* pl_stack_often for a place where a lock is about to be taken, which settles whether that will be
 * a sample, and for how many it stands. */
PL_HIDDEN uint32_t pl_contention_place(struct pl_self *self, struct pl_call call,
                                       const void *first);

/* The same where the uses of a place are known, this one included. */
PL_HIDDEN void pl_contention_stands_for(struct pl_self *self, uint32_t uses);

/* The lock is had: begins a sample that stands for `weight`, until it gives it back. */
PL_HIDDEN void pl_contention_sample(struct pl_self *self, const void *lock, uint32_t stack,
                                    uint32_t weight);

/* The lock is taken. `late`: the thread calls pl_wait_flush when it has given it back. */
static inline void pl_contention_taken(struct pl_self *self, const void *lock, uint32_t stack,
                                       uint32_t late)
{
    uint32_t weight = self->thread->contention.next;
    self->thread->contention.next = 0;
    if (weight == 0)
        return;
    if (late) {
        self->pending |= PL_PENDING_HOLD; /* so that the unlock goes the longer way too */
        pl_self_settle(self);
    }
    pl_contention_sample(self, lock, stack, weight);
}

/* Before the actor gives the lock back, as soon as may be. A sample whose task went on elsewhere is
 * forgotten. */
static inline void pl_contention_released_by(struct pl_self *self, const void *lock,
                                             const struct pl_actor *actor)
{
    struct pl_contention *c = &self->thread->contention;
    if (__builtin_expect(c->lock != (uintptr_t)lock, 1) || c->actor != actor->id)
        return;
    c->held = pl_now() - c->taken_at + 1;
    c->lock = 0;
}
static inline void pl_contention_released(struct pl_self *self, const void *lock)
{
    pl_contention_released_by(self, lock, self->actor);
}

/* Adds to the record what the last sample was, if it is over. */
PL_HIDDEN void pl_contention_flush(struct pl_self *self);

/* A lock that was waited for at that place was held so long. */
PL_HIDDEN void pl_contention_had(uint32_t stack, uint64_t ticks, uint64_t now);

/* One more was held, nobody knows how long. */
PL_HIDDEN void pl_contention_had_too(uint32_t stack);

/* A wait for a lock is over. */
PL_HIDDEN void pl_contention_waited(uint32_t stack, uint64_t ticks, uint64_t now);

#endif
