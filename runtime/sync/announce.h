/* Locks that are taken and given up, for whoever listens. The owner is kept only then. */
#ifndef WEFT_SYNC_ANNOUNCE_H
#define WEFT_SYNC_ANNOUNCE_H

#include "runtime/chan/waitq.h"

static inline void weft__acquired(enum loiter_wait why, const void *lock, void **owner,
                                  const void *caller)
{
    if (__builtin_expect(loiter_lock_acquired != NULL, 0)) {
        if (owner)
            *owner = weft__self();
        loiter_lock_acquired(why, lock, caller);
    }
}

/* For the runtime's own functions that lock on behalf of their caller. */
void weft__mutex_lock(struct weft_mutex *m, const void *caller);
void weft__mutex_unlock(struct weft_mutex *m, const void *caller);

static inline void weft__releasing(const void *lock, void **owner)
{
    if (__builtin_expect(loiter_lock_released != NULL, 0)) {
        struct weft_task *t = owner ? *owner : NULL;
        if (owner)
            *owner = NULL;
        loiter_lock_released(lock, t ? &t->loiter : NULL);
    }
}

#endif
