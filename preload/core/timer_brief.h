/*
 * timer_brief.h - POSIX timers that were made and are not yet set.
 *
 * One that ends before anything else was done with it leaves nothing but a count at its place, and
 * mostly no more than a word of its thread is written for it: no clock is read, and it has no cell.
 * It gets one as soon as it is set or asked, by whichever thread, and at the end. Each thread has
 * one such timer at a time, the others have cells at once.
 *
 * A place's timers are counted when so many were made as the thread was granted: up to half of
 * them, PL_BRIEF_MOST at most, are missing from the record of a program that is killed. Guard on.
 */
#ifndef PRELOAD_CORE_TIMER_BRIEF_H
#define PRELOAD_CORE_TIMER_BRIEF_H

#include <stdatomic.h>
#include <stdint.h>

#include "preload/core/actor.h"
#include "preload/core/call.h"
#include "preload/core/stack.h"

#define PL_BRIEF_MOST 64

/* `key`: as timer_cell.c has it. Both give 1 when that settled it. */
PL_INLINE int pl_brief_made(struct pl_self *self, uint64_t key, struct pl_call call)
{
    struct pl_brief *b = &self->thread->brief;
    if (atomic_load_explicit(&b->key, memory_order_relaxed) != 0 || b->left == 0 ||
        self->quick != b->maker)
        return 0;
    const uintptr_t place = pl_stack_place(self->stack_lo, self->stack_hi, call.sp);
    if (pl_stack_match(b->place, call, place, 0) != b->stack)
        return 0;
    b->left--;
    atomic_store_explicit(&b->key, key, memory_order_release);
    return 1;
}

PL_INLINE int pl_brief_ended(struct pl_self *self, uint64_t key)
{
    struct pl_brief *b = &self->thread->brief;
    if (atomic_load_explicit(&b->key, memory_order_relaxed) != key)
        return 0;
    atomic_store_explicit(&b->key, 0, memory_order_relaxed);
    return 1;
}

/* The first at a place, or when the grant is used up. 0: it has to have a cell. */
PL_HIDDEN int pl_brief_begin(struct pl_self *self, uint64_t key, uint32_t stack,
                             struct pl_call call);

/* Gives the timer a cell, if it is one of these. 1 when it has one now. */
PL_HIDDEN int pl_brief_show(uint64_t key);

/* The thread ends: what it left gets its cell, and all is counted. */
PL_HIDDEN void pl_brief_finish(struct pl_thread *thread);

/* The same of all threads, at the end of the program. */
PL_HIDDEN void pl_briefs_settle(void);

#endif
