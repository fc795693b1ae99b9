/*
 * shallow.h - stacks of a few frames, for places that are reached on very many ways, as the lock of
 * a library through a function of its own. Guard on.
 *
 * A whole stack is walked once and known from then on, but where thousands lead to one place none
 * comes often enough, and each walk costs as much as a hundred locks. Of such a place the nearest
 * frames are told, found by their return addresses alone: where each lies follows from those before
 * it, wherever on the stack the call is. What encloses them is found when it is asked for
 * (pl_stack_revise).
 */
#ifndef PRELOAD_CORE_SHALLOW_H
#define PRELOAD_CORE_SHALLOW_H

#include "preload/core/actor.h"
#include "preload/core/call.h"
#include "preload/core/unwind.h"

#define PL_SHALLOW_FRAMES 4

/* A stack that was told. */
struct pl_shallow_leaf {
    uint32_t id; /* 0: unused */
    uint32_t n;
    uintptr_t frames[PL_SHALLOW_FRAMES];
    uintptr_t reach; /* the distance from sp to the last of them */
};

/* The place has to be walked: counts that. Whether it has been walked so often that a shallow stack
 * has to do; then *uses is how often pl_shallow_use told one since. */
PL_HIDDEN int pl_shallow_wanted(const struct pl_self *self, uintptr_t pc, uint32_t *uses);

/* Where that is so: the id. 0: it is not, the call has not been seen yet, or one that is looked at
 * more closely is due. Calls nothing of the program's. */
PL_HIDDEN uint32_t pl_shallow_use_here(const struct pl_self *self, uintptr_t pc, uintptr_t sp);
static inline uint32_t pl_shallow_use(const struct pl_self *self, uintptr_t pc, uintptr_t sp)
{
    return self->thread->shallows ? pl_shallow_use_here(self, pc, sp) : 0;
}

/* The id, 0 when the call has not been seen yet. */
PL_HIDDEN uint32_t pl_shallow_find(const struct pl_self *self, uintptr_t pc, uintptr_t sp);
/* `walk`, of at most PL_SHALLOW_FRAMES frames, has the id from now on. */
PL_HIDDEN void pl_shallow_add(const struct pl_self *self, struct pl_call call,
                              const struct pl_walk *walk, uint32_t id);

/* Of an id that pl_shallow_find may have given to this thread; NULL when it did not, or it is
 * forgotten. */
PL_HIDDEN const struct pl_shallow_leaf *pl_shallow_leaf(const struct pl_self *self, uint32_t id);

#endif
