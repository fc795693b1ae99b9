/*
 * Uneven fences: two threads each write one word and then read the other's, and at least one of
 * them must see what the other wrote. The one that does so all the time fences lightly, for the
 * compiler alone; the one that seldom does fences heavily: the kernel has every thread of the
 * process fence where it runs just now. Where the kernel cannot do that, both fence in full.
 */
#ifndef WEFT_SCHED_FENCE_H
#define WEFT_SCHED_FENCE_H

#include <stdbool.h>

extern bool weft__fences_full; /* before the first run, and where membarrier is missing */

/* Before a run has threads. */
void weft__fences_begin(void);

void weft__heavy_fence(void);
void weft__full_fence(void);

static inline void weft__light_fence(void)
{
    if (__builtin_expect(__atomic_load_n(&weft__fences_full, __ATOMIC_RELAXED), 0))
        weft__full_fence();
    __asm__ volatile("" ::: "memory");
}

#endif
