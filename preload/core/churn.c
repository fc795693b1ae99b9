/* churn.c - see churn.h. */
#include "preload/core/churn.h"

#include "preload/core/clock.h"
#include "preload/core/spread.h"
#include "preload/core/sys.h"

struct pl_churn pl_churn_begin(const struct pl_actor *thread)
{
    struct pl_churn churn = {0};
    const struct pl_site *site = thread->site;
    if (site == NULL || __atomic_load_n(&site->cell->count, __ATOMIC_RELAXED) % PL_CHURN_EVERY != 1)
        return churn;
    churn.stack = thread->cell->created_stack;
    churn.cpu_ns = pl_sys_cpu_ns();
    return churn;
}

void pl_churn_end(const struct pl_churn *churn)
{
    uint64_t cpu_ns = churn->stack == 0 ? 0 : pl_sys_cpu_ns();
    struct pl_self *self = cpu_ns > churn->cpu_ns ? pl_enter() : NULL;
    if (self == NULL)
        return;
    struct pl_spread *spread = pl_spread_get(EL_SPREAD_THREAD_MAKE, churn->stack, PL_CHURN_EVERY);
    if (spread != NULL)
        pl_spread_add(spread, cpu_ns - churn->cpu_ns, pl_now());
    pl_leave(self);
}

void pl_churn_thread_ends(const struct pl_thread *thread)
{
    uint32_t stack = thread->actor->cell->created_stack;
    struct pl_spread *spread = stack == 0 ? NULL : pl_spread_get(EL_SPREAD_THREAD_LIFE, stack, 1);
    if (spread == NULL)
        return;
    uint64_t now = pl_now();
    uint64_t ticks = now > thread->began ? now - thread->began : 0;
    pl_spread_add(spread, pl_ns_of_ticks(ticks), now);
}
