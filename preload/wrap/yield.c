/* yield.c - calls that give the processor up without waiting for anything. */
#include <sched.h>
#include <threads.h>

#include "preload/core/real.h"
#include "preload/core/spin.h"

PL_EXPORT int sched_yield(void)
{
    pl_spin(EL_SPIN_YIELD, PL_CALL());
    return PL_REAL(sched_yield)();
}

PL_EXPORT void thrd_yield(void)
{
    pl_spin(EL_SPIN_YIELD, PL_CALL());
    PL_REAL(thrd_yield)();
}
