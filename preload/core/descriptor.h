/*
 * descriptor.h - open descriptors: who made each, where, and whether it is still used.
 *
 * A table by number, without locks: a number belongs to who opened it until it is closed. What
 * happens unseen (inside the C library, in a vfork child, by a raw system call) leaves an entry
 * that is wrong until the number is opened or closed again, so that nothing is concluded from one
 * entry alone, and at the end the kernel is asked what is open.
 *
 * "Used" is counted in the openings of the same place: a descriptor is idle for as many of them as
 * came after its last use. No clock is read for it.
 *
 * May be called at any stage and from a signal handler; keeps errno.
 */
#ifndef PRELOAD_CORE_DESCRIPTOR_H
#define PRELOAD_CORE_DESCRIPTOR_H

#include <stdint.h>

#include "eventlog/kinds.h"
#include "preload/core/call.h"
#include "preload/core/gate.h"
#include "preload/core/outcome.h"

#define PL_DESCRIPTORS 65536

struct pl_descriptor {
    struct pl_outcome *place; /* NULL: not open, or not seen to be opened */
    uint64_t opener;
    uint64_t opened_at;
    uint32_t used;  /* how many its place had made when it was last used, or opened */
    uint32_t flags; /* el_fd_flags */
    uint32_t stack;
};

/* What each call on a descriptor looks at. */
struct pl_fd_brief {
    _Atomic uint32_t life; /* see fd_class.h */
    uint32_t seen; /* pl_descriptors_made when it was last used; 0: it has to be looked at */
};

extern PL_HIDDEN struct pl_descriptor pl_descriptors[PL_DESCRIPTORS];
extern PL_HIDDEN struct pl_fd_brief pl_fd_table[PL_DESCRIPTORS];
extern PL_HIDDEN _Atomic uint32_t pl_descriptors_made; /* another number after each opening */

/* The call made `fd`; one that failed (negative) is ignored, and so are 0, 1 and 2. */
PL_HIDDEN void pl_descriptor_opened(int fd, enum el_fd_kind kind, struct pl_call call);
/* About to be closed, with `bytes` of buffer. */
PL_HIDDEN void pl_descriptor_closing(int fd, uint64_t bytes);
/* All of the range were closed. */
PL_HIDDEN void pl_descriptors_closed(unsigned lo, unsigned hi);
/* Some multiplexer tells when something happens to it, or no more. */
PL_HIDDEN void pl_descriptor_watched(int fd, int watched);

/* At the end: a cell for each that is open. */
PL_HIDDEN void pl_descriptors_at_end(void);
/* At the start and in a fork child, which is not who opened them. */
PL_HIDDEN void pl_descriptors_reset(void);
/* A fork child's record begins: tells of those that it opened before. Guard on. */
PL_HIDDEN void pl_descriptors_early(struct pl_self *self);
/* How many the process may have open goes into the record. */
PL_HIDDEN void pl_descriptors_limit_note(void);

/* See race.h: of a place at which several opened. */
PL_HIDDEN void pl_race_used(int fd);

/* As pl_descriptor_used, where something was opened since. */
PL_HIDDEN void pl_descriptor_used_since(int fd);

/* Was nothing opened since its last use? */
static inline int pl_descriptor_is_seen(int fd)
{
    return __atomic_load_n(&pl_fd_table[fd].seen, __ATOMIC_RELAXED) ==
           atomic_load_explicit(&pl_descriptors_made, memory_order_relaxed);
}

/* Which of the lives of that number it is; never 0. */
static inline uint64_t pl_descriptor_life(int fd)
{
    const uint64_t at = (unsigned)fd < PL_DESCRIPTORS ? pl_descriptors[fd].opened_at : 0;
    return at << 16 ^ ((uint64_t)fd + 1);
}

/* A call does something with it. */
static inline void pl_descriptor_used(int fd)
{
    if ((unsigned)fd < PL_DESCRIPTORS && !pl_descriptor_is_seen(fd))
        pl_descriptor_used_since(fd);
}

#endif
