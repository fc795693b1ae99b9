/*
 * fd_class.c - the table of descriptors' classes; fd_class.h says what it promises.
 *
 * It asks the kernel by raw system calls: a wrapper that needs a class may run before the real
 * functions are known, or in a signal handler.
 */
#include "preload/wrap/fd_class.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "preload/core/record.h"
#include "preload/core/timer_cell.h"

/* One above the highest number that ever had a class: ranges need not go further. */
static _Atomic uint32_t fd_top;

#define CLASS_MASK 255u
#define ONE_LIFE   256u

/* Major number of the memory devices, and those of them that take and give bytes at once. */
#define MEMORY_MAJOR 1

static int is_memory(dev_t device)
{
    if (major(device) != MEMORY_MAJOR)
        return 0;
    switch (minor(device)) {
    case 3: /* null */
    case 5: /* zero */
    case 7: /* full */
    case 8: /* random */
    case 9: /* urandom */
        return 1;
    default:
        return 0;
    }
}

static void note_top(uint32_t fd)
{
    uint32_t top = atomic_load_explicit(&fd_top, memory_order_relaxed);
    while (top <= fd && !atomic_compare_exchange_weak_explicit(
                            &fd_top, &top, fd + 1, memory_order_relaxed, memory_order_relaxed))
        ;
}

static enum pl_fd_class ask_kernel(int fd)
{
    struct stat st;
    if (syscall(SYS_fstat, fd, &st) != 0)
        return PL_FD_UNKNOWN;
    if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) || S_ISBLK(st.st_mode))
        return PL_FD_FILE;
    if (S_ISCHR(st.st_mode) && is_memory(st.st_rdev))
        return PL_FD_MEMORY;
    long flags = syscall(SYS_fcntl, fd, F_GETFL, 0);
    return pl_fd_flags(flags >= 0 && (flags & O_NONBLOCK) != 0);
}

enum pl_fd_class pl_fd_look(int fd)
{
    _Atomic uint32_t *entry = &pl_fd_table[fd].life;
    int error = errno;
    uint32_t seen = atomic_load_explicit(entry, memory_order_acquire);
    enum pl_fd_class cls = ask_kernel(fd);
    errno = error;
    if (cls == PL_FD_UNKNOWN)
        return PL_FD_MEMORY; /* no such descriptor: the call fails at once */
    if ((seen & CLASS_MASK) == PL_FD_UNKNOWN) {
        atomic_compare_exchange_strong_explicit(entry, &seen, seen | cls, memory_order_release,
                                                memory_order_relaxed);
        note_top((uint32_t)fd);
    }
    return cls;
}

void pl_fd_begins(int fd, enum pl_fd_class cls)
{
    if ((unsigned)fd >= PL_DESCRIPTORS)
        return;
    _Atomic uint32_t *entry = &pl_fd_table[fd].life;
    uint32_t seen = atomic_load_explicit(entry, memory_order_relaxed);
    uint32_t next;
    do {
        next = ((seen & ~CLASS_MASK) + ONE_LIFE) | cls;
    } while (!atomic_compare_exchange_weak_explicit(entry, &seen, next, memory_order_release,
                                                    memory_order_relaxed));
    if (cls != PL_FD_UNKNOWN)
        note_top((uint32_t)fd);
}

void pl_fd_blocking(int fd, int blocks)
{
    enum pl_fd_class cls = pl_fd_known(fd);
    if (fd >= 0 && (cls == PL_FD_WAITS || cls == PL_FD_NOBLOCK))
        pl_fd_begins(fd, pl_fd_flags(!blocks));
}

void pl_fd_timer_ends(int fd)
{
    /* A vfork child closes its own descriptors, in the parent's memory. */
    if (fd < 0 || pl_fd_known(fd) != PL_FD_TIMER || !pl_record_is_mine())
        return;
    int error = errno;
    struct pl_self *self = pl_enter();
    if (self != NULL) {
        pl_timer_destroyed(EL_OBJ_TIMERFD, (uint64_t)fd);
        pl_leave(self);
    }
    errno = error;
}

void pl_fd_range_ends(unsigned lo, unsigned hi)
{
    uint32_t top = atomic_load_explicit(&fd_top, memory_order_relaxed);
    for (uint32_t fd = lo; fd < top && fd <= hi; fd++) {
        if (pl_fd_known((int)fd) == PL_FD_UNKNOWN)
            continue;
        pl_fd_timer_ends((int)fd);
        pl_fd_begins((int)fd, PL_FD_UNKNOWN);
    }
}
