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

/* What weft_inline.h counted as noted is not, or not yet. */
static inline void weft__uncount(int counted)
{
    struct weft__worker *w = weft__worker();
    if (counted && w)
        w->note.left++;
}

/* As weft_inline.h does it, for a lock that was not free at once. */
static inline bool weft__noted(enum loiter_wait why, const void *lock, const struct weft__place *at)
{
    struct weft__worker *w = weft__worker();
    if (!w || !at->frame)
        return false;
    volatile struct loiter_note *note = &w->note;
    const int k = note->at[0].lock != 0;
    if (note->at[k].lock != 0 || note->left <= 0)
        return false;
    note->left--;
    if (k != 0)
        note->later = note->left;
    note->at[k].pc = at->pc;
    note->at[k].frame = at->frame;
    note->at[k].caller = at->caller;
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
    struct loiter_note *note = weft__worker() ? &weft__worker()->note : NULL;
    const uintptr_t word = (uintptr_t)lock + (why - LOITER_WAIT_MUTEX);
    int k = note && note->at[0].lock != word;
    return note && note->at[k].lock == word && WEFT__CLEAR(note->at[k].lock, word);
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
