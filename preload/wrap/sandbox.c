/*
 * sandbox.c - a program that forbids itself system calls.
 *
 * After seccomp, a call that the program does not make itself can be its death: ours to find out
 * what a descriptor is, to map more of the record, to know the process. So the record stops there,
 * says why, and every wrapper passes through. Filters that are installed by the seccomp system call
 * itself are not seen; those of libseccomp usually allow what is needed.
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

static void stop(void)
{
    el_stop(&pl_log, EL_STOP_SANDBOX, 0);
    atomic_store(&pl_gate.stage, PL_ENDED);
}

PL_EXPORT int prctl(int option, ...)
{
    va_list rest;
    va_start(rest, option);
    unsigned long a = va_arg(rest, unsigned long), b = va_arg(rest, unsigned long);
    unsigned long c = va_arg(rest, unsigned long), d = va_arg(rest, unsigned long);
    va_end(rest);
    int no_clock = (option == PR_SET_SECCOMP && a == SECCOMP_MODE_STRICT) ||
                   (option == PR_SET_TSC && a == PR_TSC_SIGSEGV);
    int filter = option == PR_SET_SECCOMP && !no_clock;
    /* The process is asked for while that is still allowed; a vfork child stops nothing. */
    int ours = (no_clock || filter) && pl_is_ready() && pl_record_is_mine();
    if (ours && no_clock)
        stop();
    int result = PL_REAL(prctl)(option, a, b, c, d);
    if (ours && filter && result == 0)
        stop();
    return result;
}
