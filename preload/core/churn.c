/* churn.c - see churn.h. */
#include "preload/core/churn.h"

#include "preload/core/clock.h"
#include "preload/core/spread.h"
#include "preload/core/sys.h"

/* Cells are made before the thread is: it may look at the process's descriptors. */
struct pl_churn pl_churn_begin(const struct pl_actor *thread)
{
    struct pl_churn churn = {0};
    const struct pl_site *site = thread->site;
    if (site == NULL || __atomic_load_n(&site->cell->count, __ATOMIC_RELAXED) % PL_CHURN_EVERY != 1)
        return churn;
    uint32_t stack = thread->cell->created_stack;
    struct pl_self *self = pl_enter();
    if (self == NULL)
        return churn;
    churn.make = pl_spread_get(EL_SPREAD_THREAD_MAKE, stack, PL_CHURN_EVERY);
    pl_spread_get(EL_SPREAD_THREAD_LIFE, stack, 1);
    churn.cpu_ns = pl_sys_cpu_ns();
    pl_leave(self);
    return churn;
}

void pl_churn_end(const struct pl_churn *churn)
{
    uint64_t cpu_ns = churn->make == NULL ? 0 : pl_sys_cpu_ns();
    struct pl_self *self = cpu_ns > churn->cpu_ns ? pl_enter() : NULL;
    if (self == NULL)
        return;
    pl_spread_add(churn->make, cpu_ns - churn->cpu_ns, pl_now());
    pl_leave(self);
}

static struct pl_spread *lives_of(struct pl_site *site, uint32_t stack)
{
    struct pl_spread *lives =
        site == NULL ? NULL : atomic_load_explicit(&site->lives, memory_order_acquire);
    if (lives != NULL)
        return lives;
    lives = pl_spread_get(EL_SPREAD_THREAD_LIFE, stack, 1);
    if (site != NULL)
        atomic_store_explicit(&site->lives, lives, memory_order_release);
    return lives;
}

void pl_churn_thread_ends(const struct pl_thread *thread, uint64_t now)
{
    uint32_t stack = thread->actor->cell->created_stack;
    struct pl_spread *lives = stack == 0 ? NULL : lives_of(thread->actor->site, stack);
    if (lives == NULL)
        return;
    uint64_t ticks = now > thread->began ? now - thread->began : 0;
    pl_spread_add(lives, pl_ns_of_ticks(ticks), now);
}
