/* Locks that are taken and given up, for whoever listens. The owner is kept only then, and only of
 * those that were told of by a call. */
#ifndef WEFT_SYNC_ANNOUNCE_H
#define WEFT_SYNC_ANNOUNCE_H

#include "runtime/chan/waitq.h"

/* The place where a function of the library was called, and that of one inlined. */
#define WEFT_CALLED_FROM(caller) (&(const struct weft__place){caller, NULL, NULL})
#define WEFT_INLINED_AT(pc, frame, caller)                                                         \
    (loiter_lock_taken ? &(const struct weft__place){pc, frame, caller}                            \
                       : WEFT_CALLED_FROM(WEFT_CALLER()))

/* As weft_inline.h does it, for a lock that was not free at once. */
static inline bool weft__noted(enum loiter_wait why, const void *lock, const struct weft__place *at)
{
    struct weft__worker *w = weft__worker();
    if (!w || !at->frame)
        return false;
    volatile struct loiter_note *note = &w->note;
    const int k = note->at[0].lock >= LOITER_NOTE_FREE;
    const uintptr_t free = note->at[k].lock;
    if (free == 0 || free >= LOITER_NOTE_FREE)
        return false;
    if (k != 0)
        note->later = note->at[0].left;
    note->at[k].pc = at->pc;
    note->at[k].frame = at->frame;
    note->at[k].caller = at->caller;
    note->at[k].left = free - 1;
    note->at[k].lock = (uintptr_t)lock + (why - LOITER_WAIT_MUTEX);
    return true;
}

static inline void weft__acquired(enum loiter_wait why, const void *lock, void **owner,
                                  const struct weft__place *at)
{
    if (__builtin_expect(loiter_lock_acquired != NULL, 0) && !weft__noted(why, lock, at)) {
        if (owner)
            *owner = weft__self();
        if (at->frame)
            LOITER_CALL(loiter_lock_taken, (why, lock, at->pc, at->frame, at->caller));
        else
            loiter_lock_acquired(why, lock, at->pc);
    }
}

/* For the runtime's own functions that lock on behalf of their caller. */
void weft__mutex_lock(struct weft_mutex *m, const void *caller);
void weft__mutex_unlock(struct weft_mutex *m, const void *caller);

/* As weft_inline.h does it: what was noted there may be given up in a program's other parts, by a
 * call. */
static inline bool weft__unnoted(enum loiter_wait why, const void *lock)
{
    volatile struct loiter_note *note = weft__worker() ? &weft__worker()->note : NULL;
    const uintptr_t word = (uintptr_t)lock + (why - LOITER_WAIT_MUTEX);
    uint32_t taken = note ? note->taken : 0;
    int k = note && note->at[0].lock != word;
    if (!note || note->at[k].lock != word)
        return false;
    note->at[k].lock = note->at[k].left;
    return note->taken == taken;
}

static inline void weft__releasing(enum loiter_wait why, const void *lock, void **owner)
{
    if (__builtin_expect(loiter_lock_released != NULL, 0)) {
        struct weft_task *t = owner ? *owner : NULL;
        if (owner)
            *owner = NULL;
        if (!weft__unnoted(why, lock))
            loiter_lock_released(lock, t ? &t->loiter : owner ? LOITER_SOMEBODY : NULL);
    }
}

#endif
