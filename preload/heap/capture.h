/*
 * capture.h - memory that tasks and threads keep alive by the argument they were made with: the
 * block it points to, the copy a runtime made of it, and the blocks that the words of these point
 * to.
 *
 * Each thread is looked at, the first hundreds of a place, and of tasks one in PL_TINY_EVERY; where
 * none of the first ones has anything of size, fewer. A block that others were given too belongs to
 * nobody. A block is known to be gone when it is freed. Some words of it are remembered: what the
 * task itself writes is its working memory, what nobody changes was only carried along.
 *
 * Guard on in all of them.
 */
#ifndef PRELOAD_HEAP_CAPTURE_H
#define PRELOAD_HEAP_CAPTURE_H

#include <stddef.h>
#include <stdint.h>

#include "preload/core/actor.h"

/* `actor` was made at its site with `arg`: a pointer or any other word; or, with `copied` bytes,
 * the copy that the runtime made for it. One in `every` is looked at. Before it can run. */
PL_HIDDEN void pl_capture_look(struct pl_actor *actor, uintptr_t arg, size_t copied,
                               uint32_t every);

/* It ended, or is not to be after all. */
PL_HIDDEN void pl_capture_over(struct pl_actor *actor);
static inline void pl_capture_ends(struct pl_actor *actor)
{
    if (__builtin_expect(actor->captured, 0))
        pl_capture_over(actor);
}

/* It begins to wait; its wait is over. */
PL_HIDDEN void pl_capture_wait_begins(struct pl_actor *actor, uint64_t now);
PL_HIDDEN void pl_capture_wait_ends(struct pl_actor *actor, uint64_t now);
static inline void pl_capture_waits(struct pl_actor *actor, uint64_t now)
{
    if (__builtin_expect(actor->captured & PL_CAPTURE_HOLDS, 0))
        pl_capture_wait_begins(actor, now);
}
static inline void pl_capture_waited(struct pl_actor *actor, uint64_t now)
{
    if (__builtin_expect(actor->captured & PL_CAPTURE_HOLDS, 0))
        pl_capture_wait_ends(actor, now);
}

/* A block of which more is known than where it begins (PL_KNOWN) is about to be freed. */
PL_HIDDEN void pl_capture_freed(uintptr_t block);

/* A run of a runtime, or the process, ends: those that live are counted as they stand. */
PL_HIDDEN void pl_captures_at_end(void);

/* A record begins. */
PL_HIDDEN void pl_captures_reset(void);

#endif
