/* See solo.h. */
#include "runtime/sched/solo.h"

#include <sched.h>

#include "runtime/sched/fence.h"

struct weft__solo weft__solo = {.who = WEFT__SOLO_NOBODY};

static uint32_t change; /* held by who changes `who` */

/* With the lock: no worker takes locks plainly any more. */
static void stop(void)
{
    __atomic_store_n(&weft__solo.who, WEFT__SOLO_NOBODY, __ATOMIC_RELAXED);
    weft__heavy_fence();
    while (__atomic_load_n(&weft__solo.inside, __ATOMIC_ACQUIRE))
        sched_yield();
}

void weft__solo_share(void)
{
    weft__lock(&change);
    uintptr_t who = __atomic_load_n(&weft__solo.who, __ATOMIC_RELAXED);
    if (who != WEFT__SOLO_SHARED && who != WEFT__SOLO_NOBODY)
        stop();
    __atomic_store_n(&weft__solo.who, WEFT__SOLO_SHARED, __ATOMIC_RELEASE);
    weft__unlock(&change);
}

bool weft__solo_try_again(uint32_t *lock)
{
    uintptr_t who = __atomic_load_n(&weft__solo.who, __ATOMIC_ACQUIRE);
    if (who == WEFT__SOLO_SHARED || who == (uintptr_t)weft__worker())
        return weft__solo_try_quickly(lock);
    weft__solo_share();
    return weft__try_lock(lock);
}

void weft__solo_begin(const struct weft__worker *w)
{
    if (__atomic_load_n(&weft__fences_full, __ATOMIC_RELAXED))
        return; /* there is no heavy fence */
    weft__lock(&change);
    if (__atomic_load_n(&weft__solo.who, __ATOMIC_RELAXED) == WEFT__SOLO_NOBODY)
        __atomic_store_n(&weft__solo.who, (uintptr_t)w, __ATOMIC_RELEASE);
    weft__unlock(&change);
}

void weft__solo_end(const struct weft__worker *w)
{
    weft__lock(&change);
    if (__atomic_load_n(&weft__solo.who, __ATOMIC_RELAXED) == (uintptr_t)w)
        stop();
    weft__unlock(&change);
}

void weft__solo_forget(void)
{
    weft__solo = (struct weft__solo){.who = WEFT__SOLO_SHARED};
    change = 0;
}
