/*
 * io.h - what the wrappers of IO and waiting share: prototypes, and who needs a wait at all.
 */
#ifndef PRELOAD_WRAP_IO_H
#define PRELOAD_WRAP_IO_H

#include <errno.h>
#include <stdint.h>
#include <stdio_ext.h>

#include "preload/core/actor.h"
#include "preload/core/call.h"
#include "preload/core/descriptor.h"
#include "preload/core/gate.h"
#include "preload/core/real.h"
#include "preload/core/spin.h"
#include "preload/core/sys.h"
#include "preload/core/wait.h"
#include "preload/wrap/fd_class.h"

/* Most of the aliases have no prototype in the C library's headers. */
#define PL_SYMBOL(ret, name, params) ret name params;
#include "preload/wrap/symbols-io.def"
#undef PL_SYMBOL

/* How long a call may wait, as its arguments say. */
enum pl_io_timed {
    PL_UNTIMED = 0, /* until something happens */
    PL_TIMED = 1,   /* it ends by itself */
    PL_NAP,         /* the same, after a moment: NAP_NS */
    PL_IF_HELD,     /* not for others; it only counts with a lock held */
    PL_AT_ONCE      /* not at all */
};

#define PL_NO_FD ((uint64_t)-1)

static inline enum pl_io_timed pl_timed_if(int waits)
{
    return waits ? PL_TIMED : PL_AT_ONCE;
}

static inline enum pl_io_timed pl_timed_ms(int ms)
{
    return ms < 0 ? PL_UNTIMED : pl_timed_if(ms != 0);
}

/* The C library itself reads the timeouts of select, pselect and ppoll, so they can be read here;
 * others go to the kernel unread, whose answer to a bad pointer is EFAULT. */
static inline enum pl_io_timed pl_timed_spec(const struct timespec *t)
{
    return t == NULL ? PL_UNTIMED : pl_timed_if(t->tv_sec != 0 || t->tv_nsec != 0);
}

static inline enum pl_io_timed pl_timed_val(const struct timeval *t)
{
    return t == NULL ? PL_UNTIMED : pl_timed_if(t->tv_sec != 0 || t->tv_usec != 0);
}

static inline enum pl_io_timed pl_timed_unread(const struct timespec *t)
{
    return t == NULL ? PL_UNTIMED : PL_TIMED;
}

/* WNOHANG of the wait family. */
static inline enum pl_io_timed pl_timed_child(int options)
{
    return (options & WNOHANG) != 0 ? PL_AT_ONCE : PL_UNTIMED;
}

/* The shortest way: recording, so the real functions are known, and `fd` is no IO at all. It makes
 * no call, so that the wrapper's registers need no saving on it. */
static inline int pl_io_none(int fd)
{
    return pl_is_on() && pl_fd_known(fd) == PL_FD_MEMORY;
}

/* The next shortest, of servers: it answers at once, and of its use everything is known. */
static inline int pl_io_known_noblock(int fd)
{
    return pl_is_on() && pl_fd_known(fd) == PL_FD_NOBLOCK && pl_descriptor_is_seen(fd);
}

#define NAP_NS UINT64_C(1000000)
static inline enum pl_io_timed pl_timed_nap(uint64_t ns)
{
    return ns == 0 ? PL_AT_ONCE : ns < NAP_NS ? PL_NAP : PL_TIMED;
}

/* Of a sleep, whose time the kernel reads and to a bad pointer of which it answers EFAULT: so it is
 * looked at only where it can be read. Next to a sleep that takes no time. */
static inline enum pl_io_timed pl_timed_sleep(const struct timespec *t)
{
    if (!pl_is_on() || t == NULL || !pl_sys_readable((uintptr_t)t) ||
        !pl_sys_readable((uintptr_t)&t->tv_nsec))
        return PL_TIMED;
    return pl_timed_nap(t->tv_sec == 0 ? (uint64_t)t->tv_nsec : NAP_NS);
}

/* A call that was not to wait brought nothing. */
static inline void pl_io_asked(uint32_t kind, struct pl_call call)
{
    if (kind == EL_WAIT_POLL || kind == EL_WAIT_CHILD)
        pl_spin(EL_SPIN_POLL, call);
    else if (kind == EL_WAIT_SLEEP)
        pl_spin(EL_SPIN_YIELD, call);
}

/* NULL: all streams. */
static inline enum pl_io_timed pl_timed_flush(FILE *f)
{
    return f == NULL || __fpending(f) != 0 ? PL_IF_HELD : PL_AT_ONCE;
}

/* 1 when a call on `fd` needs no wait: the real function alone will do. What answers at once is no
 * waiting for the outside, with a lock held or not; a file's answer may be the disk's. */
static inline int pl_io_plain(int fd)
{
    const int on = pl_is_on();
    if (!on && !pl_is_silent())
        return 1;
    enum pl_fd_class cls = pl_fd_get(fd);
    if (cls == PL_FD_FILE)
        return !pl_holds_lock();
    return cls < PL_FD_WAITS || (!on && !pl_is_ready());
}

static inline int pl_io_waits(enum pl_io_timed timed)
{
    if (timed == PL_IF_HELD)
        return pl_holds_lock();
    return timed != PL_AT_ONCE && pl_is_ready();
}

/* What does not wait was asked. In vain again and again, with nothing had between: a busy wait. */
PL_INLINE void pl_io_tried(intptr_t answer, struct pl_call call)
{
    if (__builtin_expect(answer >= 0, 1))
        pl_spin_not();
    else if (errno == EAGAIN)
        pl_spin(EL_SPIN_TRY, call);
}

PL_INLINE void pl_io_answered(int fd, intptr_t answer, struct pl_call call)
{
    if (pl_fd_known(fd) == PL_FD_NOBLOCK)
        pl_io_tried(answer, call);
}

static inline int pl_io_error(intptr_t result)
{
    return result < 0 ? errno : 0;
}

/* A read of the timerfd took `count` expirations. Keeps errno. */
PL_HIDDEN void pl_timerfd_taken(int fd, uint64_t count);

#endif
