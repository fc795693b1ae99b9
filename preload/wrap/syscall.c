/*
 * syscall.c - the wrapper of syscall().
 *
 * What means nothing here goes on by a jump, with the caller's registers and stack as they are: the
 * child of a vfork comes back before its parent does, and uses the stack where a frame of ours
 * would lie.
 */
#include <errno.h>

#include "preload/core/real.h"
#include "preload/core/sys.h"
#include "preload/wrap/syscall.h"

/*
 * The C library has it with `...`; these are what it takes in registers. What it takes from the
 * stack is no parameter: the word there is the caller's own where it gave fewer, another thread may
 * write to it, and a compiler may write to its parameters.
 */
#ifdef __x86_64__
#define PARAMS             (long number, long a, long b, long c, long d, long e)
#define ARGS               (number, a, b, c, d, e)
#define LAST_PARAM(caller) (*(const volatile long *)(caller).sp)
#else
#define PARAMS             (long number, long a, long b, long c, long d, long e, long f)
#define ARGS               (number, a, b, c, d, e, f)
#define LAST_PARAM(caller) f
#endif

PL_EXPORT long pl_syscall_entry PARAMS __asm__("syscall");

/* Before the real one is known, straight to the kernel: our own search for it comes here too. */
long pl_syscall_real(const struct pl_syscall *s)
{
    if (PL_LOAD(syscall) != NULL)
        return PL_LOAD(syscall)(s->number, s->a, s->b, s->c, s->d, s->e, s->f);
    long result = pl_sys6(s->number, s->a, s->b, s->c, s->d, s->e, s->f);
    if (result >= 0 || result < -4095)
        return result;
    errno = (int)-result;
    return -1;
}

PL_OTHER_WAY long syscall_slowly PARAMS
{
    const struct pl_call call = PL_CALL();
    const struct pl_syscall s = {number, a, b, c, d, e, LAST_PARAM(call)};
    if (number == SYS_seccomp)
        return pl_syscall_seccomp(&s);
    if (pl_syscall_is_futex(number) && pl_is_ready())
        return pl_syscall_futex(&s, call);
    return pl_syscall_real(&s);
}

PL_EXPORT PL_FRAMELESS long pl_syscall_entry PARAMS
{
    long (*real)(long, ...) = PL_LOAD(syscall);
    if (__builtin_expect(pl_syscall_is_futex(number) || number == SYS_seccomp || real == NULL, 0))
        return syscall_slowly ARGS;
    return real ARGS;
}
