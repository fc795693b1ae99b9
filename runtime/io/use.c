/* See use.h: the rare paths, and closing. */
#include "runtime/io/use.h"

#include <sched.h>
#include <time.h>
#include <unistd.h>

#include "runtime/io/io.h"

enum { TURNS_AT_ONCE = 64 };
#define PAUSE_NS (INT64_C(20) * WEFT_US)

static int close_number(int fd)
{
    int r = close(fd) == 0 ? 0 : (int)weft__failed();
    weft__fd_closed(fd);
    return r;
}

void weft__use_last(struct weft__fd *state)
{
    uint64_t users = __atomic_load_n(&state->users, __ATOMIC_ACQUIRE);
    if ((users & (WEFT__USE_CLOSING | WEFT__USE_COUNT)) == WEFT__USE_CLOSING &&
        __atomic_compare_exchange_n(&state->users, &users, users - WEFT__USE_CLOSING, false,
                                    __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
        close_number(state->fd);
}

void weft__use_stall(const struct weft__use *use)
{
    uint64_t users;
    if (use->state)
        weft__use_move(use, WEFT__USE_STALLED, &users);
}

void weft__use_go_on(const struct weft__use *use)
{
    uint64_t users;
    if (use->state)
        weft__use_move(use, -WEFT__USE_STALLED, &users);
}

void weft__use_evict(struct weft__fd *state, unsigned count)
{
    __atomic_fetch_sub(&state->users, count, __ATOMIC_ACQ_REL);
}

bool weft__use_abandon(struct weft__fd *state)
{
    uint64_t users = __atomic_load_n(&state->users, __ATOMIC_RELAXED);
    do {
        if ((users & (WEFT__USE_CLOSING | WEFT__USE_COUNT)) == 0)
            return false;
    } while (!__atomic_compare_exchange_n(&state->users, &users,
                                          (users / WEFT__USE_RUN + 1) * WEFT__USE_RUN, true,
                                          __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
    return users & WEFT__USE_CLOSING;
}

/* ---- closing ---- */

/* False: somebody else closes it. */
static bool begin_to_close(struct weft__use *use)
{
    uint64_t users = __atomic_load_n(&use->state->users, __ATOMIC_RELAXED);
    do {
        if (users & WEFT__USE_CLOSING)
            return false;
    } while (!__atomic_compare_exchange_n(&use->state->users, &users,
                                          (users + 1) | WEFT__USE_CLOSING, true, __ATOMIC_ACQ_REL,
                                          __ATOMIC_RELAXED));
    use->run = users / WEFT__USE_RUN;
    return true;
}

/* Those who are in the kernel for a moment, or were woken and have not had their turn. */
static void let_others_go_on(unsigned turn)
{
    if (weft__self())
        turn < TURNS_AT_ONCE ? weft_yield() : weft_sleep(PAUSE_NS);
    else if (turn < TURNS_AT_ONCE)
        sched_yield();
    else
        nanosleep(&(struct timespec){0, PAUSE_NS}, NULL);
}

static int end_close(const struct weft__use *use)
{
    struct weft__fd *state = use->state;
    for (unsigned turn = 0;; turn++) {
        uint64_t users = __atomic_load_n(&state->users, __ATOMIC_ACQUIRE);
        if (users / WEFT__USE_RUN != use->run)
            return 0; /* it was closed as the run ended */
        if ((users & WEFT__USE_COUNT) == 1) {
            if (__atomic_compare_exchange_n(&state->users, &users, users - 1 - WEFT__USE_CLOSING,
                                            false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
                return close_number(use->fd);
        } else if (users / WEFT__USE_STALLED % (WEFT__USE_CLOSING / WEFT__USE_STALLED) != 0) {
            weft__use_end(use);
            return 0;
        } else {
            let_others_go_on(turn);
        }
    }
}

int weft_close(int fd)
{
    struct weft__use use = {.fd = fd, .state = weft__fd_find(fd)};
    if (!use.state) /* no call was ever counted for it */
        return close_number(fd);
    if (!begin_to_close(&use))
        return -EBADF;
    weft__fd_forget(fd);
    return end_close(&use);
}
