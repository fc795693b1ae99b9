/*
 * timer.c - wrappers of POSIX timers, timerfd, interval timers and alarms.
 *
 * Each has a cell from creation (or from the first time it is set) until it is deleted or closed.
 * The firings of signal and thread timers happen in the kernel and in the C library, unseen: only
 * what the program asks (timer_getoverrun, reads of a timerfd) is counted. The real call comes
 * first, and only its success is recorded.
 */
#include <errno.h>
#include <stdint.h>

#include "preload/core/call.h"
#include "preload/core/gate.h"
#include "preload/core/real.h"
#include "preload/core/stack.h"
#include "preload/core/timer_brief.h"
#include "preload/core/timer_cell.h"
#include "preload/wrap/fd_class.h"
#include "preload/wrap/io.h"

#define NS_PER_SECOND 1000000000u
#define NS_PER_US     1000u

static uint64_t ns_of_spec(const struct timespec *t)
{
    return (uint64_t)t->tv_sec * NS_PER_SECOND + (uint64_t)t->tv_nsec;
}

static uint64_t ns_of_val(const struct timeval *t)
{
    return (uint64_t)t->tv_sec * NS_PER_SECOND + (uint64_t)t->tv_usec * NS_PER_US;
}

/* Zero first_ns: it was stopped. */
static void was_set(enum el_object_kind kind, uint64_t object, uint64_t first_ns,
                    uint64_t period_ns, struct pl_call call)
{
    struct pl_self *self = pl_enter();
    if (self == NULL)
        return;
    int error = errno;
    if (first_ns == 0)
        pl_timer_stopped(kind, object);
    else
        pl_timer_armed(self, kind, object, first_ns, period_ns, 0, pl_stack(self, call));
    errno = error;
    pl_leave(self);
}

static void destroyed(enum el_object_kind kind, uint64_t object)
{
    struct pl_self *self = pl_enter();
    if (self == NULL)
        return;
    pl_timer_destroyed(kind, object);
    pl_leave(self);
}

static void taken(enum el_object_kind kind, uint64_t object, uint64_t fired, uint64_t dropped)
{
    struct pl_self *self = pl_enter();
    if (self == NULL)
        return;
    int error = errno;
    pl_timer_fired(kind, object, fired, dropped);
    pl_timer_used(self, kind, object);
    errno = error;
    pl_leave(self);
}

/* ---- POSIX timers ---- */

static uint64_t id_of(timer_t timer)
{
    return (uint64_t)(uintptr_t)timer;
}

PL_NEXT_WAY void posix_created(uint64_t id, uintptr_t pc, uintptr_t sp, uintptr_t fp)
{
    struct pl_self *self = pl_enter();
    if (self == NULL)
        return;
    pl_timer_posix_created(self, id, (struct pl_call){pc, sp, fp});
    pl_leave(self);
}

PL_EXPORT int timer_create(clockid_t clock, struct sigevent *event, timer_t *id)
{
    int result = PL_REAL(timer_create)(clock, event, id);
    if (result != 0)
        return result;
    const struct pl_call call = PL_CALL();
    struct pl_self *self = pl_enter_quickly();
    int brief = 0;
    if (self != NULL) {
        brief = pl_brief_made(self, pl_timer_key(EL_OBJ_POSIX_TIMER, id_of(*id)), call);
        pl_leave_quickly(self);
    }
    if (!brief)
        posix_created(id_of(*id), call.pc, call.sp, call.fp);
    return 0;
}

PL_EXPORT int timer_settime(timer_t id, int flags, const struct itimerspec *to,
                            struct itimerspec *was)
{
    int result = PL_REAL(timer_settime)(id, flags, to, was);
    if (result != 0 || !pl_is_ready())
        return result;
    uint64_t first_ns = ns_of_spec(&to->it_value);
    struct itimerspec left;
    /* The timer knows what is left of an absolute time, whatever its clock. */
    if (first_ns != 0 && (flags & TIMER_ABSTIME) != 0 && timer_gettime(id, &left) == 0)
        first_ns = ns_of_spec(&left.it_value) + 1;
    was_set(EL_OBJ_POSIX_TIMER, id_of(id), first_ns, ns_of_spec(&to->it_interval), PL_CALL());
    return result;
}

PL_EXPORT int timer_delete(timer_t id)
{
    /* Before the real call, after which another thread may be given the same id. */
    struct pl_self *self = pl_enter_quickly();
    int brief = 0;
    if (self != NULL) {
        brief = pl_brief_ended(self, pl_timer_key(EL_OBJ_POSIX_TIMER, id_of(id)));
        pl_leave_quickly(self);
    }
    if (!brief)
        destroyed(EL_OBJ_POSIX_TIMER, id_of(id));
    return PL_REAL(timer_delete)(id);
}

PL_EXPORT int timer_getoverrun(timer_t id)
{
    int result = PL_REAL(timer_getoverrun)(id);
    if (result >= 0)
        taken(EL_OBJ_POSIX_TIMER, id_of(id), 1 + (uint64_t)result, (uint64_t)result);
    return result;
}

/* ---- timerfd ---- */

static void timerfd_created(int fd, struct pl_call call)
{
    struct pl_self *self = pl_enter();
    if (self == NULL)
        return;
    pl_timer_created(self, EL_OBJ_TIMERFD, (uint64_t)fd, pl_stack(self, call));
    pl_leave(self);
}

PL_EXPORT int timerfd_create(clockid_t clock, int flags)
{
    int fd = PL_REAL(timerfd_create)(clock, flags);
    if (fd >= 0) {
        pl_fd_begins(fd, PL_FD_TIMER);
        pl_descriptor_opened(fd, EL_FD_TIMER, PL_CALL());
        timerfd_created(fd, PL_CALL());
    }
    return fd;
}

PL_EXPORT int timerfd_settime(int fd, int flags, const struct itimerspec *to,
                              struct itimerspec *was)
{
    int result = PL_REAL(timerfd_settime)(fd, flags, to, was);
    if (result != 0 || !pl_is_ready())
        return result;
    uint64_t first_ns = ns_of_spec(&to->it_value);
    struct itimerspec left;
    if (first_ns != 0 && (flags & TFD_TIMER_ABSTIME) != 0 && timerfd_gettime(fd, &left) == 0)
        first_ns = ns_of_spec(&left.it_value) + 1;
    was_set(EL_OBJ_TIMERFD, (uint64_t)fd, first_ns, ns_of_spec(&to->it_interval), PL_CALL());
    return result;
}

void pl_timerfd_taken(int fd, uint64_t count)
{
    taken(EL_OBJ_TIMERFD, (uint64_t)fd, count, count > 0 ? count - 1 : 0);
}

/* ---- interval timers and alarms: one of each kind in a process ---- */

/* alarm, ualarm and ITIMER_REAL are one timer of the kernel: setting it one way ends the other. */
PL_EXPORT int setitimer(__itimer_which_t which, const struct itimerval *to, struct itimerval *was)
{
    int result = PL_REAL(setitimer)(which, to, was);
    if (result != 0 || to == NULL)
        return result;
    if (which == ITIMER_REAL)
        destroyed(EL_OBJ_ALARM, 0);
    was_set(EL_OBJ_ITIMER, (uint64_t)which, ns_of_val(&to->it_value), ns_of_val(&to->it_interval),
            PL_CALL());
    return result;
}

static void alarm_set(uint64_t first_ns, uint64_t period_ns, struct pl_call call)
{
    destroyed(EL_OBJ_ITIMER, ITIMER_REAL);
    was_set(EL_OBJ_ALARM, 0, first_ns, period_ns, call);
}

PL_EXPORT unsigned alarm(unsigned seconds)
{
    unsigned left = PL_REAL(alarm)(seconds);
    alarm_set((uint64_t)seconds * NS_PER_SECOND, 0, PL_CALL());
    return left;
}

PL_EXPORT useconds_t ualarm(useconds_t first, useconds_t period)
{
    useconds_t left = PL_REAL(ualarm)(first, period);
    alarm_set((uint64_t)first * NS_PER_US, (uint64_t)period * NS_PER_US, PL_CALL());
    return left;
}
