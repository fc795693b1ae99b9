/*
 * sandbox.c - a program that forbids itself system calls.
 *
 * After seccomp, a call that the program does not make itself can be its death: ours to find out
 * what a descriptor is, to map more of the record, to know the process. So the record stops there,
 * says why, and every wrapper passes through. The call is prctl, or seccomp, which the C library
 * has no function for: programs and libseccomp make it by syscall().
 *
 * Strict mode takes the processor's clock away too, as PR_SET_TSC does: there the record stops
 * before. A filter is often only probed for, by a call that fails: there it stops after.
 */
#include <linux/seccomp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <sys/prctl.h>

#include "preload/core/gate.h"
#include "preload/core/real.h"
#include "preload/core/record.h"
#include "preload/wrap/io.h"
#include "preload/wrap/syscall.h"

static void stop(void)
{
    el_stop(&pl_log, EL_STOP_SANDBOX, 0);
    atomic_store(&pl_gate.stage, PL_ENDED);
}

/* What a call is going to take away, and the record with it. */
enum taken { NOTHING, CLOCK, SOME_CALLS };

/* The process is asked for while that is still allowed; a vfork child stops nothing. */
static enum taken before(enum taken taken)
{
    if (taken == NOTHING || !pl_is_ready() || !pl_record_is_mine())
        return NOTHING;
    if (taken == CLOCK)
        stop();
    return taken;
}

static void after(enum taken taken, int done)
{
    if (taken == SOME_CALLS && done)
        stop();
}

PL_EXPORT int prctl(int option, ...)
{
    va_list rest;
    va_start(rest, option);
    unsigned long a = va_arg(rest, unsigned long), b = va_arg(rest, unsigned long);
    unsigned long c = va_arg(rest, unsigned long), d = va_arg(rest, unsigned long);
    va_end(rest);
    enum taken taken = NOTHING;
    if ((option == PR_SET_SECCOMP && a == SECCOMP_MODE_STRICT) ||
        (option == PR_SET_TSC && a == PR_TSC_SIGSEGV))
        taken = CLOCK;
    else if (option == PR_SET_SECCOMP)
        taken = SOME_CALLS;
    taken = before(taken);
    int result = PL_REAL(prctl)(option, a, b, c, d);
    after(taken, result == 0);
    return result;
}

long pl_syscall_seccomp(const struct pl_syscall *s)
{
    enum taken taken = NOTHING;
    if (s->a == SECCOMP_SET_MODE_STRICT)
        taken = CLOCK;
    else if (s->a == SECCOMP_SET_MODE_FILTER)
        taken = SOME_CALLS;
    taken = before(taken);
    long result = pl_syscall_real(s);
    after(taken, result >= 0);
    return result;
}
