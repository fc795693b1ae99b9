/*
 * syscall.h - the system calls that programs make by syscall() and that mean something here.
 *
 * Each makes the call and gives what syscall() gives, errno included.
 */
#ifndef PRELOAD_WRAP_SYSCALL_H
#define PRELOAD_WRAP_SYSCALL_H

#include <sys/syscall.h>

#include "preload/core/call.h"
#include "preload/core/gate.h"

struct pl_syscall {
    long number;
    long a, b, c, d, e, f;
};

/* The call itself and nothing else. */
PL_HIDDEN long pl_syscall_real(const struct pl_syscall *s);

PL_HIDDEN long pl_syscall_seccomp(const struct pl_syscall *s);
PL_HIDDEN long pl_syscall_futex(const struct pl_syscall *s, struct pl_call call);

/* Since Linux 5.16 and 6.7, on all machines the same. */
#define PL_SYS_FUTEX_WAITV   449
#define PL_SYS_FUTEX_WAKE    454
#define PL_SYS_FUTEX_WAIT    455
#define PL_SYS_FUTEX_REQUEUE 456

static inline int pl_syscall_is_futex(long number)
{
    return number == SYS_futex || number == PL_SYS_FUTEX_WAITV ||
           (number >= PL_SYS_FUTEX_WAKE && number <= PL_SYS_FUTEX_REQUEUE);
}

#endif
