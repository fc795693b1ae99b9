/*
 * futex.c - waits that programs make by themselves, with the kernel's futex call: std::future and
 * std::atomic, GLib's and Rust's locks, locks of their own. What the C library waits for in this
 * way does not come here.
 *
 * A word is known by its address alone, and what it means only by what is done with it: see
 * core/word.h. The program's memory is not read before the kernel has read it: a bad address is
 * answered and no fault.
 */
#include <linux/futex.h>

#include "preload/core/word.h"
#include "preload/wrap/syscall.h"
#include "preload/wrap/timed_out.h"

#define FLAGS (FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME)

/* A wait, as its arguments say. */
struct asked {
    uint64_t word;
    const struct timespec *at; /* NULL: no limit */
    clockid_t clock;           /* of the limit */
    uint32_t expected;         /* it waits while the word is that */
    int relative;
    int timed; /* or of more words than one: who may end that is not known by one of them */
};

static struct asked by_clock(const struct pl_syscall *s, clockid_t clock)
{
    return (struct asked){.word = (uint64_t)s->a,
                          .at = (const struct timespec *)s->d,
                          .clock = clock,
                          .expected = (uint32_t)s->c,
                          .timed = s->d != 0};
}

/* 0: it is no wait. */
static int wait_asked(const struct pl_syscall *s, struct asked *asked)
{
    const int op = (int)s->b;
    const clockid_t clock = (op & FUTEX_CLOCK_REALTIME) != 0 ? CLOCK_REALTIME : CLOCK_MONOTONIC;
    switch (s->number) {
    case PL_SYS_FUTEX_WAITV:
        *asked = (struct asked){.clock = CLOCK_MONOTONIC, .timed = 1};
        return 1;
    case PL_SYS_FUTEX_WAIT:
        *asked = (struct asked){.word = (uint64_t)s->a,
                                .at = (const struct timespec *)s->e,
                                .clock = (clockid_t)s->f,
                                .expected = (uint32_t)s->b,
                                .timed = s->e != 0};
        return 1;
    case SYS_futex:
        break;
    default:
        return 0;
    }
    switch (op & ~FLAGS) {
    case FUTEX_WAIT:
        *asked = by_clock(s, clock);
        asked->relative = 1;
        return 1;
    case FUTEX_WAIT_BITSET:
    case FUTEX_WAIT_REQUEUE_PI:
        *asked = by_clock(s, clock);
        return 1;
    case FUTEX_LOCK_PI:
    case FUTEX_LOCK_PI2:
        *asked = by_clock(s, (op & ~FLAGS) == FUTEX_LOCK_PI ? CLOCK_REALTIME : clock);
        asked->expected = 1; /* it is taken; what the caller gives has no meaning */
        return 1;
    default:
        return 0;
    }
}

/* The wait was ended by its limit: was it one of a moment? */
static void timed_out(const struct pl_wait *w, uint64_t before, const struct asked *asked,
                      struct pl_call call)
{
    if (w->actor == NULL || asked->at == NULL)
        return;
    if (!asked->relative)
        pl_timed_out(w, before, asked->clock, asked->at, call);
    else if (asked->at->tv_sec == 0 && (uint64_t)asked->at->tv_nsec < NAP_NS)
        pl_spin_napped(before, call);
}

static void waited(const struct pl_wait *w, uint32_t expected)
{
    struct pl_self *self = w->actor != NULL && w->object != 0 ? pl_enter() : NULL;
    if (self == NULL)
        return;
    if (w->actor == self->actor)
        pl_word_waited(self, w->object, expected, w->stack);
    pl_leave(self);
}

static long wait_for(const struct pl_syscall *s, const struct asked *asked, struct pl_call call)
{
    struct pl_wait w;
    const uint64_t before = pl_spin_waited();
    pl_wait_begin(&w, EL_WAIT_FUTEX, asked->word, asked->timed, call);
    const long result = pl_syscall_real(s);
    const int error = result < 0 ? errno : 0;
    if (error == EAGAIN || error == EFAULT || error == EINVAL || error == ENOSYS) {
        pl_wait_was_none(&w);
        return result;
    }
    pl_wait_end(&w, error);
    if (error == ETIMEDOUT)
        timed_out(&w, before, asked, call);
    else if (error == 0)
        waited(&w, asked->expected);
    return result;
}

static void wakes(uint64_t word, struct pl_call call)
{
    struct pl_self *self = pl_enter();
    if (self == NULL)
        return;
    pl_word_wakes(self, word);
    struct pl_object *o = pl_object_recent(self, word);
    if (o != NULL)
        pl_object_woken_at(self, o, call.pc, call.sp, call.fp);
    pl_leave(self);
}

/* Whoever moves waiters to another word has woken them from theirs. */
static void wake(const struct pl_syscall *s, struct pl_call call)
{
    if (s->number == PL_SYS_FUTEX_WAKE) {
        wakes((uint64_t)s->a, call);
        return;
    }
    if (s->number != SYS_futex)
        return;
    switch ((int)s->b & ~FLAGS) {
    case FUTEX_WAKE_OP:
        wakes((uint64_t)s->e, call);
        wakes((uint64_t)s->a, call);
        break;
    case FUTEX_WAKE:
    case FUTEX_WAKE_BITSET:
    case FUTEX_UNLOCK_PI:
    case FUTEX_REQUEUE:
    case FUTEX_CMP_REQUEUE:
    case FUTEX_CMP_REQUEUE_PI:
        wakes((uint64_t)s->a, call);
        break;
    default:
        break;
    }
}

/* The waits of a runtime's worker are its scheduler's, if no task runs there. */
static int is_runtimes(const struct pl_self *self)
{
    return self->thread != NULL && self->thread->is_worker && self->actor == self->thread->actor;
}

/* A thread that was made by clone may have its maker's thread-local memory: all is the maker's then
 * that is kept there. It runs on a stack of its own. */
static int is_anothers(const struct pl_self *self, uintptr_t sp)
{
    if (self->tid == 0 || (sp >= self->stack_lo && sp < self->stack_hi))
        return 0;
    return self->tid != (uint32_t)pl_sys_tid();
}

long pl_syscall_futex(const struct pl_syscall *s, struct pl_call call)
{
    struct asked asked;
    const struct pl_self *self = pl_self();
    if (is_anothers(self, call.sp))
        return pl_syscall_real(s);
    if (!wait_asked(s, &asked)) {
        wake(s, call);
        return pl_syscall_real(s);
    }
    return is_runtimes(self) ? pl_syscall_real(s) : wait_for(s, &asked, call);
}
