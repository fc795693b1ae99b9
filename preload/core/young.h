/*
 * young.h - tasks of which the record has nothing to tell yet: they were made, may run, but have
 * neither waited nor done anything else that is recorded under their number.
 *
 * Most tasks of a program that spawns much end so. Such a task is counted at its place and has a
 * record of one cache line, but no actor and no cell. It gets both, with what it had from its
 * birth, as soon as anybody asks for its actor; those that are young at the end of a run, or of the
 * process, are shown then, and one that computes for long is shown as long as it lives. After a
 * SIGKILL only the counts of their places tell of the others.
 *
 * The `tool` word of a young task is the address of its record with PL_YOUNG in it. Only the thread
 * that runs the task, or is about to, changes that. Guard on.
 */
#ifndef PRELOAD_CORE_YOUNG_H
#define PRELOAD_CORE_YOUNG_H

#include <loiter.h>
#include <stdint.h>

#include "preload/core/actor.h"

#define PL_YOUNG ((uintptr_t)LOITER_TOOL_LOOKS)
/* Free ones go from thread to thread in chains of so many; a thread keeps less than two. */
#define PL_YOUNG_CHAIN 256

struct pl_young {
    union {
        struct pl_pool_link link; /* of a free one */
        struct pl_site *site;     /* where it was made; its start function is that of the place */
    };
    uint64_t id; /* of its actor; 0: the record is free */
    uint64_t creator, created_at;
    struct pl_kin kin;
};
_Static_assert(sizeof(struct pl_young) == 64, "a record is a cache line");

/* The record of a young task that was made in this process and while recording, else NULL. */
PL_INLINE struct pl_young *pl_young_of(const struct loiter_task *t)
{
    const uintptr_t word = (uintptr_t)t->tool;
    struct pl_young *y = (struct pl_young *)(word & ~PL_YOUNG); /* NOLINT: a pointer with a mark */
    return (word & PL_YOUNG) != 0 && y->kin.epoch == pl_epoch ? y : NULL;
}

/* Where a runtime keeps the low end of a task's stack, from its loiter_task on; 0: it tells by
 * loiter_task_stack, and no task is young. */
extern PL_HIDDEN ptrdiff_t pl_young_stack_offset;

PL_INLINE uintptr_t pl_young_stack_lo(const struct loiter_task *t)
{
    return *(const uintptr_t *)((const char *)t + pl_young_stack_offset);
}

/* Gives the task an actor. NULL without memory: it is not recorded any more. */
PL_HIDDEN struct pl_actor *pl_young_grow(struct pl_self *self, struct loiter_task *t);

/* A free record of the thread; there is none without pl_young_stock. */
PL_INLINE struct pl_young *pl_young_take(struct pl_thread *thread)
{
    struct pl_young *y = thread->free_young;
    if (y != NULL) {
        thread->free_young =
            (struct pl_young *)atomic_load_explicit(&y->link.next, memory_order_relaxed);
        __builtin_prefetch(thread->free_young, 1); /* among many it has left the nearest cache */
        thread->free_young_count--;
    }
    return y;
}
PL_HIDDEN void pl_young_stock(struct pl_thread *thread);

/* The thread has a chain: it begins another. */
PL_HIDDEN void pl_young_chain(struct pl_thread *thread);

PL_INLINE void pl_young_put(struct pl_thread *thread, struct pl_young *y)
{
    if (__builtin_expect(thread->free_young_count == PL_YOUNG_CHAIN, 0))
        pl_young_chain(thread);
    y->id = 0;
    atomic_store_explicit(&y->link.next, (uintptr_t)thread->free_young, memory_order_relaxed);
    thread->free_young = y;
    thread->free_young_count++;
}

/* Cells for all that are young, in that state; of one run alone, if `run` is not 0, and then they
 * are not recorded any more. Gives how many. */
PL_HIDDEN uint32_t pl_young_show(uint32_t run, enum el_actor_state state);

/* A cell for a young task, which may end meanwhile; and no longer: before the task's number is
 * given up. */
PL_HIDDEN void pl_young_show_one(const struct loiter_task *t);
PL_HIDDEN void pl_young_hide_one(uint64_t id);
extern PL_HIDDEN _Atomic uint32_t pl_young_shown; /* how many there are */
PL_INLINE void pl_young_hide(uint64_t id)
{
    if (__builtin_expect(atomic_load_explicit(&pl_young_shown, memory_order_relaxed) != 0, 0))
        pl_young_hide_one(id);
}

/* In a fork child, and at the start. */
PL_HIDDEN void pl_young_reset(void);

#endif
