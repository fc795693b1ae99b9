/*
 * See netpoll.h. A descriptor is asked for one event at a time (EPOLLONESHOT), and nothing is
 * remembered about it but who waits: a program that closes and reopens numbers by itself finds no
 * stale state. The price is one epoll_ctl for each wait.
 */
#include "runtime/io/netpoll.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "runtime/time/timers.h"

enum { CHUNK = 256, CHUNKS = 4096, EVENTS_AT_ONCE = 128 };

/* Who won the task of a waiter. */
enum { BY_EVENT = 1, BY_TIME = 2, BY_CLOSE = 3 };

struct poll_waiter {
    struct poll_waiter *next;
    struct weft_task *task;
    short events, got;
    bool queued;
    struct fd_state *state;
    struct weft__timer timer; /* its `when` is set before it is armed */
};

struct fd_state {
    uint32_t lock; /* of its waiters; timers and queues nest inside */
    struct poll_waiter *waiters;
};

static struct fd_state *chunks[CHUNKS];
static uint32_t waiting;

static struct fd_state *find_state(int fd)
{
    unsigned n = (unsigned)fd / CHUNK;
    if (fd < 0 || n >= CHUNKS)
        return NULL;
    struct fd_state *chunk = __atomic_load_n(&chunks[n], __ATOMIC_ACQUIRE);
    return chunk ? &chunk[(unsigned)fd % CHUNK] : NULL;
}

static struct fd_state *get_state(int fd)
{
    struct fd_state *state = find_state(fd);
    if (state || fd < 0 || (unsigned)fd / CHUNK >= CHUNKS)
        return state;
    struct fd_state *chunk = calloc(CHUNK, sizeof *chunk), *none = NULL;
    if (chunk && !__atomic_compare_exchange_n(&chunks[(unsigned)fd / CHUNK], &none, chunk, false,
                                              __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        free(chunk);
    return find_state(fd);
}

int weft__netpoll_open(struct weft__run *run)
{
    run->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    run->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct epoll_event e = {.events = EPOLLIN, .data.fd = -1};
    if (run->epoll_fd >= 0 && run->event_fd >= 0 &&
        epoll_ctl(run->epoll_fd, EPOLL_CTL_ADD, run->event_fd, &e) == 0)
        return 0;
    int r = -errno;
    weft__netpoll_close(run);
    return r;
}

void weft__netpoll_close(struct weft__run *run)
{
    if (run->epoll_fd >= 0)
        close(run->epoll_fd);
    if (run->event_fd >= 0)
        close(run->event_fd);
    run->epoll_fd = run->event_fd = -1;
}

void weft__netpoll_abandon(void)
{
    for (unsigned n = 0; n < CHUNKS; n++) {
        for (unsigned i = 0; chunks[n] && i < CHUNK; i++)
            chunks[n][i].waiters = NULL;
    }
    __atomic_store_n(&waiting, 0, __ATOMIC_SEQ_CST);
}

uint32_t weft__netpoll_waiting(void)
{
    return __atomic_load_n(&waiting, __ATOMIC_SEQ_CST);
}

void weft__netpoll_kick(struct weft__run *run)
{
    uint64_t one = 1;
    if (write(run->event_fd, &one, sizeof one) < 0) {
        /* EAGAIN: so many kicks are on their way already that one more says nothing. */
    }
}

static uint32_t mask_of(const struct fd_state *state)
{
    uint32_t mask = 0;
    for (struct poll_waiter *p = state->waiters; p; p = p->next)
        mask |= (uint32_t)(unsigned short)p->events;
    return mask;
}

/* poll's and epoll's numbers are the same on Linux. */
static int arm(struct weft__run *run, int fd, const struct fd_state *state)
{
    struct epoll_event e = {.events = mask_of(state) | EPOLLONESHOT, .data.fd = fd};
    if (epoll_ctl(run->epoll_fd, EPOLL_CTL_MOD, fd, &e) == 0)
        return 0;
    if (errno == ENOENT && epoll_ctl(run->epoll_fd, EPOLL_CTL_ADD, fd, &e) == 0)
        return 0;
    return -errno;
}

static void unqueue(struct fd_state *state, struct poll_waiter *waiter)
{
    struct poll_waiter **p = &state->waiters;
    while (*p && *p != waiter)
        p = &(*p)->next;
    if (*p)
        *p = waiter->next;
    waiter->queued = false;
}

/* After ready: while it counts as waiting, nobody reports a deadlock. */
static void wake(struct weft_task *t)
{
    weft__ready(t, NULL);
    __atomic_fetch_sub(&waiting, 1, __ATOMIC_SEQ_CST);
}

/* Wakes those for whom `got` is enough. */
static void deliver(struct fd_state *state, short got, uint32_t who)
{
    struct poll_waiter *next;
    for (struct poll_waiter *p = state->waiters; p; p = next) {
        next = p->next;
        short match = (short)(got & (p->events | POLLERR | POLLHUP | POLLNVAL));
        if (!match)
            continue;
        unqueue(state, p);
        p->got = match;
        if (weft__win(p->task, who))
            wake(p->task);
    }
}

static void on_event(struct weft__run *run, int fd, uint32_t events)
{
    struct fd_state *state = find_state(fd);
    if (!state)
        return;
    weft__lock(&state->lock);
    deliver(state, (short)(events & 0x7fff), BY_EVENT);
    if (state->waiters)
        arm(run, fd, state);
    weft__unlock(&state->lock);
}

/* In nanoseconds; before Linux 5.11 in milliseconds, rounded up. */
static long wait_for_events(int epoll_fd, struct epoll_event *events, int64_t ns)
{
    static uint32_t no_pwait2;
    if (!__atomic_load_n(&no_pwait2, __ATOMIC_RELAXED)) {
        struct timespec limit = {ns / WEFT_S, ns % WEFT_S};
        long n = syscall(SYS_epoll_pwait2, epoll_fd, events, EVENTS_AT_ONCE, ns < 0 ? NULL : &limit,
                         NULL, 0);
        if (n >= 0 || errno != ENOSYS)
            return n;
        __atomic_store_n(&no_pwait2, 1, __ATOMIC_RELAXED);
    }
    int64_t ms = ns > WEFT_S ? 1000 : (ns + WEFT_MS - 1) / WEFT_MS;
    return epoll_wait(epoll_fd, events, EVENTS_AT_ONCE, ns < 0 ? -1 : (int)ms);
}

/* A kick is for whoever sleeps, which is one at most; who only has a look leaves it to that one. */
void weft__netpoll(struct weft__run *run, int64_t ns)
{
    struct epoll_event events[EVENTS_AT_ONCE];
    long n = wait_for_events(run->epoll_fd, events, ns);
    for (long i = 0; i < n; i++) {
        uint64_t count;
        if (events[i].data.fd >= 0)
            on_event(run, events[i].data.fd, events[i].events);
        else if (ns != 0 && read(run->event_fd, &count, sizeof count) < 0)
            continue; /* it was for the one before */
    }
}

static void on_time(struct weft__timer *timer, int64_t now)
{
    struct poll_waiter *p =
        (struct poll_waiter *)(void *)((char *)timer - offsetof(struct poll_waiter, timer));
    (void)now;
    if (weft__win(p->task, BY_TIME))
        wake(p->task);
}

static int finish(struct fd_state *state, struct poll_waiter *waiter, bool timed)
{
    weft__lock(&state->lock);
    if (waiter->queued)
        unqueue(state, waiter);
    weft__unlock(&state->lock);
    if (timed) {
        weft__timers_lock();
        weft__timer_disarm(&waiter->timer);
        weft__timers_unlock();
    }
    uint32_t who = __atomic_load_n(&waiter->task->won, __ATOMIC_ACQUIRE);
    return who == BY_EVENT  ? (int)(unsigned short)waiter->got
           : who == BY_TIME ? -ETIMEDOUT
                            : -EBADF;
}

/* Once nobody runs on the task's stack, as the timer may make it ready at once. The waiter is gone
 * when the lock is. */
static void arm_and_unlock(void *arg)
{
    struct poll_waiter *waiter = arg;
    struct fd_state *state = waiter->state;
    int64_t when = waiter->timer.when;
    weft__timers_lock();
    if (!weft__timer_arm(&waiter->timer, when, 0))
        weft__fatal("no memory for a timer");
    weft__timers_unlock();
    weft__unlock(&state->lock);
    weft__timers_armed(when);
}

int weft__netpoll_wait(struct weft_task *t, int fd, short events, int64_t until,
                       enum weft__wait why, const void *caller)
{
    struct fd_state *state = get_state(fd);
    if (!state)
        return fd < 0 ? -EBADF : -ENOMEM;
    bool timed = until != INT64_MAX;
    struct poll_waiter waiter = {
        .task = t, .events = events, .state = state, .timer = {.fire = on_time, .when = until}};
    __atomic_store_n(&t->won, 0, __ATOMIC_RELAXED);
    weft__lock(&state->lock);
    waiter.next = state->waiters;
    waiter.queued = true;
    state->waiters = &waiter;
    int r = arm(t->worker->run, fd, state);
    if (r == 0) {
        weft__will_wait(t, why, (const void *)(intptr_t)fd, timed, caller);
        __atomic_fetch_add(&waiting, 1, __ATOMIC_SEQ_CST);
    }
    if (r != 0) {
        unqueue(state, &waiter);
        weft__unlock(&state->lock);
        return r;
    }
    if (timed)
        weft__park_call(t, arm_and_unlock, &waiter);
    else
        weft__park(t, &state->lock);
    return finish(state, &waiter, timed);
}

void weft__netpoll_forget(int fd)
{
    struct fd_state *state = find_state(fd);
    if (!state)
        return;
    weft__lock(&state->lock);
    deliver(state, POLLNVAL, BY_CLOSE);
    weft__unlock(&state->lock);
}
