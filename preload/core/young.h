/*
 * young.h - tasks of which the record has nothing to tell yet: they were made, may run, but have
 * neither waited nor done anything else that is recorded under their number.
 *
 * Most tasks of a program that spawns much end so. Such a task is counted at its place and has no
 * actor, no cell and no record of its own: what is known of it is what it has in common with its
 * brood, those that one actor makes at one place while the time of its thread stands still. It gets
 * actor and cell, with what it had from its birth, as soon as anybody asks for them; those that are
 * young at the end of a run, or of the process, are shown then (the runtime lists them:
 * loiter_task_list), and one that computes for long is shown as long as it lives. After a SIGKILL
 * only the counts of their places tell of the others.
 *
 * The `tool` word of a young task is the address of its brood with PL_YOUNG in it. Only the thread
 * that runs the task, or is about to, changes that. Guard on.
 */
#ifndef PRELOAD_CORE_YOUNG_H
#define PRELOAD_CORE_YOUNG_H

#include <loiter.h>
#include <stdint.h>

#include "preload/core/actor.h"

#define PL_YOUNG ((uintptr_t)LOITER_TOOL_LOOKS)
/* Free broods go from thread to thread in chains of so many; a thread keeps less than two. */
#define PL_BROOD_CHAIN 64

struct pl_brood {
    struct pl_pool_link link; /* of a free one */
    struct pl_site *site;     /* where they were made; their start function is that of the place */
    uint64_t creator, created_at;
    struct pl_kin kin;
    /*
     * The second line: how many live. Who makes them counts them in `own`, and takes out of it
     * those that end or grow on the same thread; others count theirs in `elsewhere`. Once no more
     * are made the brood is closed: `elsewhere` is less what lived then, and all count in it.
     * Whoever makes it 0 frees the brood.
     */
    const struct pl_thread *maker;
    int32_t own;
    uint32_t closed; /* for the maker's thread alone */
    _Atomic int32_t elsewhere;
    uint64_t token; /* that of all broods of this place and maker, one after another; 0: it is free,
                       or its tasks are not to be recorded any more */
} __attribute__((aligned(64)));
_Static_assert(sizeof(struct pl_brood) == 128, "a brood is two cache lines");

/* The brood of a young task that was made in this process and while recording, else NULL. */
PL_INLINE struct pl_brood *pl_brood_at(uintptr_t word)
{
    return (struct pl_brood *)(word & ~PL_YOUNG); /* NOLINT: a pointer with a mark */
}
PL_INLINE struct pl_brood *pl_brood_of(const struct loiter_task *t)
{
    const uintptr_t word = (uintptr_t)t->tool;
    return (word & PL_YOUNG) != 0 && pl_brood_at(word)->kin.epoch == pl_epoch ? pl_brood_at(word)
                                                                              : NULL;
}

/* A brood for what the thread makes next, closed by the second; NULL without memory. */
PL_HIDDEN struct pl_brood *pl_brood_take(struct pl_thread *thread);
PL_HIDDEN void pl_brood_close(struct pl_thread *thread, struct pl_brood *b);
PL_HIDDEN void pl_brood_free(struct pl_thread *thread, struct pl_brood *b);

/* Does none live of one that is not closed, and whose maker has counted all? */
PL_INLINE int pl_brood_is_over(const struct pl_brood *b)
{
    return b->own == atomic_load_explicit(&b->elsewhere, memory_order_acquire);
}

/* `n` of them have ended or grown. 1: none is left, and it is another's from now on. */
PL_INLINE int pl_brood_leave(struct pl_thread *thread, struct pl_brood *b, int32_t n)
{
    if (b->maker == thread && !b->closed) {
        b->own -= n;
        return 0;
    }
    if (atomic_fetch_add_explicit(&b->elsewhere, n, memory_order_acq_rel) + n != 0)
        return 0;
    pl_brood_free(thread, b);
    return 1;
}

/* Where a runtime keeps the low end of a task's stack, from its loiter_task on, and how it lists
 * its tasks; without the second no task is young. */
extern PL_HIDDEN ptrdiff_t pl_young_stack_offset;
extern PL_HIDDEN loiter_task_each *pl_young_each;

PL_INLINE uintptr_t pl_young_stack_lo(const struct loiter_task *t)
{
    return *(const uintptr_t *)((const char *)t + pl_young_stack_offset);
}

/* Gives the task an actor. NULL without memory: it is not recorded any more. */
PL_HIDDEN struct pl_actor *pl_young_grow(struct pl_self *self, struct loiter_task *t);

/* Cells for all that are young, in that state; of one run alone, if `run` is not 0, and then they
 * are not recorded any more. Gives how many. */
PL_HIDDEN uint32_t pl_young_show(uint32_t run, enum el_actor_state state);

/* A cell for a young task, which may end meanwhile; and no longer: after it has changed its `tool`.
 * What is shown of a task that ended in that very moment is taken back at the next tick. */
PL_HIDDEN void pl_young_show_one(const struct loiter_task *t);
PL_HIDDEN void pl_young_hide_one(uint64_t id);
PL_HIDDEN void pl_young_tick(void);
extern PL_HIDDEN _Atomic uint32_t pl_young_shown; /* how many there are */
PL_INLINE int pl_young_any_shown(void)
{
    return atomic_load_explicit(&pl_young_shown, memory_order_relaxed) != 0;
}
PL_INLINE void pl_young_hide(uint64_t id)
{
    if (pl_young_any_shown())
        pl_young_hide_one(id);
}

/* In a fork child, and at the start. */
PL_HIDDEN void pl_young_reset(void);

#endif
