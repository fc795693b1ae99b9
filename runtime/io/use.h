/*
 * Who uses a descriptor. A call that may hand its number to the kernel counts itself first and
 * takes itself off when it is done, so that a number is not closed, and given to another file, in
 * the middle of a call. weft_close marks the descriptor, which turns new calls away, ends the waits
 * for it, and closes it when it is the last one there; else the last call does.
 *
 * Design notes
 *
 * One word has the mark, the count, how many of those counted may stay for long (on a thread that
 * blocks), and the number of the run. Who takes the mark away with nobody counted, by a swap,
 * closes the descriptor: so one does. A call that comes meanwhile counts itself, sees the mark and
 * takes itself off again; it may be the last one then and close it.
 *
 * A parked task is counted. Whoever ends its wait because the descriptor is closed takes it off on
 * its behalf, so a close need not wait until the task has had its turn.
 *
 * Tasks that wait when their run ends never go on. So the number of the run moves on then and the
 * count begins at 0; a call that was counted in the run before finds that out and leaves the word
 * alone.
 */
#ifndef WEFT_IO_USE_H
#define WEFT_IO_USE_H

#include <errno.h>
#include <sys/types.h>

#include "runtime/io/fd.h"

#define WEFT__USE_STALLED (UINT64_C(1) << 24)
#define WEFT__USE_CLOSING (UINT64_C(1) << 40)
#define WEFT__USE_RUN     (UINT64_C(1) << 41)
#define WEFT__USE_COUNT   (WEFT__USE_STALLED - 1)

/* What a wait returns that weft_close has ended: the call is not counted any more. No errno. */
enum { WEFT__CLOSED = -4096 };

struct weft__use {
    int fd;
    struct weft__fd *state; /* NULL: not counted, as there is no room to remember it */
    uint64_t run;
};

/* For good, when the last one is gone who saw the mark. */
void weft__use_last(struct weft__fd *state);

/* False: the run that it was counted in is over. */
static inline bool weft__use_move(const struct weft__use *use, uint64_t by, uint64_t *users)
{
    *users = __atomic_load_n(&use->state->users, __ATOMIC_RELAXED);
    do {
        if (__builtin_expect(*users / WEFT__USE_RUN != use->run, 0))
            return false;
    } while (!__atomic_compare_exchange_n(&use->state->users, users, *users + by, true,
                                          __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
    *users += by;
    return true;
}

static inline void weft__use_end(const struct weft__use *use)
{
    uint64_t users;
    if (use->state && weft__use_move(use, -UINT64_C(1), &users) &&
        __builtin_expect((users & (WEFT__USE_CLOSING | WEFT__USE_COUNT)) == WEFT__USE_CLOSING, 0))
        weft__use_last(use->state);
}

/* False: it is being closed, the call shall return -EBADF. */
static inline bool weft__use_begin(struct weft__use *use, int fd)
{
    use->fd = fd;
    use->run = 0;
    use->state = weft__fd_get(fd);
    if (__builtin_expect(!use->state, 0))
        return true;
    uint64_t users = __atomic_fetch_add(&use->state->users, 1, __ATOMIC_ACQ_REL);
    use->run = users / WEFT__USE_RUN;
    if (__builtin_expect(!(users & WEFT__USE_CLOSING), 1))
        return true;
    weft__use_end(use);
    return false;
}

/* Ends it; the result of the call. */
static inline ssize_t weft__use_result(const struct weft__use *use, ssize_t result)
{
    if (__builtin_expect(result == WEFT__CLOSED, 0))
        return -EBADF;
    weft__use_end(use);
    return result;
}

static inline bool weft__use_is_closing(const struct weft__fd *state)
{
    return __atomic_load_n(&state->users, __ATOMIC_ACQUIRE) & WEFT__USE_CLOSING;
}

/* Around what may take long: who closes the descriptor does not wait for it. */
void weft__use_stall(const struct weft__use *use);
void weft__use_go_on(const struct weft__use *use);

/* With the lock of the descriptor: `count` of its waits ended, their calls are not counted. */
void weft__use_evict(struct weft__fd *state, unsigned count);

/* With that lock, as the run ends. True: the caller shall close the number, without the lock. */
bool weft__use_abandon(struct weft__fd *state);

#endif
