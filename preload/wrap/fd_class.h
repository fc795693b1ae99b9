/*
 * fd_class.h - what kind of thing a descriptor is, so that calls on files cost almost nothing.
 *
 * A bounded table without locks, filled when a descriptor is first used and dropped when it ends. A
 * wrong answer is never worse than a wait that is not seen or a few stores too many: descriptors
 * that end unseen (inside the C library, by a raw system call) are set right by the next call that
 * makes one of that number. Between vfork and exec a child changes its own descriptors but the
 * parent's table; so what may happen there (close, dup2) only ever forgets a class.
 *
 * All of it may be called from a signal handler, at any stage, and keeps errno.
 */
#ifndef PRELOAD_WRAP_FD_CLASS_H
#define PRELOAD_WRAP_FD_CLASS_H

#include <stdatomic.h>
#include <stdint.h>

#include "preload/core/descriptor.h"
#include "preload/core/gate.h"

enum pl_fd_class {
    PL_FD_UNKNOWN = 0,
    PL_FD_MEMORY,  /* /dev/null, /dev/zero and the like, or no descriptor: not IO at all */
    PL_FD_FILE,    /* file, directory, disk: IO that waits for nobody */
    PL_FD_NOBLOCK, /* O_NONBLOCK: answers at once */
    PL_FD_WAITS,   /* pipe, socket, terminal, ...: may wait for others */
    PL_FD_TIMER    /* timerfd */
};

/*
 * `life` in pl_fd_table: the low byte is the class, the rest counts the lives of the number: who
 * found out the class of an earlier life cannot store it. Descriptors beyond the table are not
 * kept: they count as PL_FD_WAITS.
 */

/* Asks the kernel. */
PL_HIDDEN enum pl_fd_class pl_fd_look(int fd);

/* The number has a life of this class from here on (PL_FD_UNKNOWN: look when it is used). A
 * negative fd is ignored. */
PL_HIDDEN void pl_fd_begins(int fd, enum pl_fd_class cls);

/* O_NONBLOCK was set or cleared. */
PL_HIDDEN void pl_fd_blocking(int fd, int blocks);

/* The descriptor is about to end, or all of a range: their timers end with them. */
PL_HIDDEN void pl_fd_timer_ends(int fd);
PL_HIDDEN void pl_fd_range_ends(unsigned lo, unsigned hi);

static inline enum pl_fd_class pl_fd_known(int fd)
{
    if (__builtin_expect((unsigned)fd >= PL_DESCRIPTORS, 0))
        return fd < 0 ? PL_FD_MEMORY : PL_FD_WAITS;
    return (enum pl_fd_class)(atomic_load_explicit(&pl_fd_table[fd].life, memory_order_relaxed) &
                              255u);
}

static inline enum pl_fd_class pl_fd_get(int fd)
{
    enum pl_fd_class cls = pl_fd_known(fd);
    return __builtin_expect(cls != PL_FD_UNKNOWN, 1) ? cls : pl_fd_look(fd);
}

static inline enum pl_fd_class pl_fd_flags(int nonblocking)
{
    return nonblocking ? PL_FD_NOBLOCK : PL_FD_WAITS;
}

#endif
