/*
 * See netpoll.h.
 *
 * Design notes
 *
 * A descriptor that Weft has not made (EDGES not set) is asked for one event at a time
 * (EPOLLONESHOT) with an epoll_ctl for each wait, which also finds out whether the number still
 * stands for the same file. One from accept or connect is registered once, edge-triggered; a wait
 * costs no call, and a read that would find nothing is left out: after one that would have blocked,
 * or got less than it asked for from a TCP socket, there is nothing until the next event.
 *
 * No event is lost: each one moves the word on, under the lock of the descriptor. A caller looks at
 * the word, tries, and waits only if the word is still the same under that lock. READABLE is taken
 * away by compare-and-swap from the word that was looked at.
 *
 * A program may close such a number behind our back (close, dup2) and use it for another file,
 * which epoll knows nothing of. So what is believed is checked: who waits on a belief is listed,
 * and twice a second those that have waited since the round before are registered again. That
 * fails with ENOENT if the belief was wrong, and then this program is not trusted any more: each
 * wait asks. It also tells of anything there is to read, so no wrong belief makes anybody wait for
 * good. Who waits for less than half a second costs nothing, and the rest one call.
 *
 * Locks: that of a descriptor protects its members but the word, which its holder and readers
 * change atomically; timers and queues nest inside. `checks.lock` nests outside.
 */
#include "runtime/io/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "runtime/io/use.h"
#include "runtime/sched/inside.h"
#include "runtime/time/timers.h"

enum { EVENTS_AT_ONCE = 128, CHECKS_AT_ONCE = 128 };
#define CHECK_NS (INT64_C(500) * WEFT_MS)

/* What an edge-triggered registration asks for, besides POLLOUT while somebody waits to write. */
#define EDGE_EVENTS ((uint32_t)EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLET)

/* Who won the task of a waiter. */
enum { BY_EVENT = 1, BY_TIME = 2, BY_CLOSE = 3 };

struct poll_waiter {
    struct poll_waiter *next;
    struct weft_task *task;
    struct weft__fd *state;
    short events, got;
    bool queued, timed;
    enum weft__limit limit;
    int64_t until;
    struct weft__timer timer;
};

static uint32_t waiting;

/* Beliefs to be checked; `fresh` is a stack that all push to, the others are under the lock. */
static struct {
    uint32_t lock;
    uint32_t round;
    uint32_t armed, due; /* the timer; it fired */
    uint32_t pending;    /* some of `now` are left */
    uint32_t wrong;      /* a belief was */
    uint32_t distrust;
    struct weft__fd *fresh, *old, *now;
    struct weft__timer timer;
} checks;

/* ---- the end of a run ---- */

static void abandon(struct weft__fd *state)
{
    weft__lock(&state->lock);
    __atomic_store_n(&state->waiters, NULL, __ATOMIC_RELAXED);
    state->listed = false;
    bool close_it = weft__use_abandon(state);
    weft__unlock(&state->lock);
    if (close_it)
        close(state->fd);
}

/* A thread of the run may be late and still look for work. */
void weft__netpoll_abandon(void)
{
    weft__lock(&checks.lock);
    weft__fd_each(abandon);
    __atomic_store_n(&checks.fresh, NULL, __ATOMIC_RELAXED);
    checks.old = checks.now = NULL;
    __atomic_store_n(&checks.armed, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&checks.due, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&checks.pending, 0, __ATOMIC_RELAXED);
    weft__unlock(&checks.lock);
    __atomic_store_n(&waiting, 0, __ATOMIC_SEQ_CST);
}

/* Another thread may have had the lock. */
static void forget(struct weft__fd *state)
{
    state->lock = 0;
    state->waiters = NULL;
    weft__use_abandon(state);
}

void weft__netpoll_forget(void)
{
    weft__fd_each(forget);
    __atomic_store_n(&waiting, 0, __ATOMIC_RELAXED);
}

uint32_t weft__netpoll_waiting(void)
{
    return __atomic_load_n(&waiting, __ATOMIC_SEQ_CST);
}

static uint32_t mask_of(const struct weft__fd *state)
{
    uint32_t mask = 0;
    for (struct poll_waiter *p = state->waiters; p; p = p->next)
        mask |= (uint32_t)(unsigned short)p->events;
    return mask;
}

/* Asks epoll for what the waiters wait for. poll's and epoll's numbers are the same on Linux. */
static int arm(struct weft__run *run, struct weft__fd *state)
{
    bool edges = weft__fd_look(state) & WEFT__FD_EDGES;
    uint32_t mask = mask_of(state);
    struct epoll_event e = {.events = edges ? EDGE_EVENTS | (mask & EPOLLOUT) : mask | EPOLLONESHOT,
                            .data.fd = state->fd};
    bool fresh = edges && state->epoch != run->epoch;
    int op = fresh ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, other = fresh ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    int error = epoll_ctl(run->epoll_fd, op, state->fd, &e) == 0 ? 0 : errno;
    if (error == ENOENT && edges)
        __atomic_store_n(&checks.wrong, 1, __ATOMIC_SEQ_CST);
    if (error == ENOENT || error == EEXIST)
        error = epoll_ctl(run->epoll_fd, other, state->fd, &e) == 0 ? 0 : errno;
    state->epoch = edges && error == 0 ? run->epoch : 0;
    return -error;
}

/* ---- waking ---- */

static void unqueue(struct weft__fd *state, struct poll_waiter *waiter)
{
    struct poll_waiter **p = &state->waiters;
    while (*p && *p != waiter)
        p = &(*p)->next;
    if (*p)
        __atomic_store_n(p, waiter->next, __ATOMIC_RELAXED);
    waiter->queued = false;
}

/* Many at once, so in their order. After ready: while it counts as waiting, nobody reports a
 * deadlock. */
static void wake(struct weft_task *t)
{
    weft__ready_tail(t, NULL);
    __atomic_fetch_sub(&waiting, 1, __ATOMIC_SEQ_CST);
}

/* Wakes those for whom `got` is enough; how many. */
static unsigned deliver(struct weft__fd *state, short got, uint32_t who)
{
    struct poll_waiter *next;
    unsigned woken = 0;
    for (struct poll_waiter *p = state->waiters; p; p = next) {
        next = p->next;
        short match = (short)(got & (p->events | POLLERR | POLLHUP | POLLNVAL));
        if (!match)
            continue;
        unqueue(state, p);
        p->got = match;
        if (!weft__win(p->task, who))
            continue;
        wake(p->task);
        woken++;
    }
    return woken;
}

static void on_event(struct weft__run *run, int fd, uint32_t events)
{
    struct weft__fd *state = weft__fd_find(fd);
    if (!state)
        return;
    weft__lock(&state->lock);
    if (weft__ended(run)) { /* who waits here by now is another run's */
        weft__unlock(&state->lock);
        return;
    }
    bool edges = weft__fd_look(state) & WEFT__FD_EDGES;
    if (edges) {
        bool more = events & (EPOLLPRI | EPOLLRDHUP | EPOLLERR | EPOLLHUP);
        bool readable = more || (events & EPOLLIN);
        weft__fd_move(state, 0,
                      (readable ? WEFT__FD_READABLE : 0) | (more ? (uint32_t)WEFT__FD_MORE : 0));
    }
    deliver(state, (short)(events & 0x7fff), BY_EVENT);
    if (!edges && state->waiters)
        arm(run, state);
    weft__unlock(&state->lock);
}

/* ---- beliefs ---- */

static void on_check_time(struct weft__timer *timer, int64_t now)
{
    (void)timer;
    (void)now;
    __atomic_store_n(&checks.due, 1, __ATOMIC_SEQ_CST);
    /* Who sleeps in epoll may have found nothing due just now. */
    weft__netpoll_kick(weft__worker()->run);
}

static void arm_checks(void)
{
    if (__atomic_load_n(&checks.armed, __ATOMIC_RELAXED) ||
        __atomic_exchange_n(&checks.armed, 1, __ATOMIC_SEQ_CST))
        return;
    if (!checks.timer.fire)
        weft__timer_init(&checks.timer, on_check_time);
    if (!weft__timer_start(&checks.timer, weft__after_ns(CHECK_NS)))
        weft__fatal("no memory for a timer");
}

/* With the lock of the descriptor. */
static void list_check(struct weft__fd *state)
{
    state->listed = true;
    state->next_check = __atomic_load_n(&checks.fresh, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(&checks.fresh, &state->next_check, state, true,
                                        __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
        ;
    arm_checks();
}

/* What is parked keeps its registration and is checked in its turn. */
static void trust_no_more(struct weft__fd *state)
{
    weft__lock(&state->lock);
    weft__fd_move(state, WEFT__FD_EDGES, 0);
    weft__unlock(&state->lock);
}

static void trust_nobody(void)
{
    if (!__atomic_exchange_n(&checks.distrust, 1, __ATOMIC_SEQ_CST))
        weft__fd_each(trust_no_more);
}

static void check(struct weft__run *run, struct weft__fd *state)
{
    weft__lock(&state->lock);
    state->listed = false;
    if (state->waiters && state->epoch == run->epoch) {
        if (state->round + 1 >= checks.round) {
            list_check(state);
        } else {
            if (arm(run, state) != 0) {
                weft__fd_move(state, WEFT__FD_EDGES, 0);
                deliver(state, POLLNVAL, BY_EVENT); /* to look again */
            }
        }
    }
    weft__unlock(&state->lock);
}

static void next_round(void)
{
    checks.now = checks.old;
    checks.old = __atomic_exchange_n(&checks.fresh, NULL, __ATOMIC_SEQ_CST);
    __atomic_store_n(&checks.round, checks.round + 1, __ATOMIC_RELAXED);
    __atomic_store_n(&checks.armed, 0, __ATOMIC_SEQ_CST);
    if (checks.old || __atomic_load_n(&checks.fresh, __ATOMIC_SEQ_CST))
        arm_checks();
}

/* Checks some; true if there are more. */
static bool run_checks(struct weft__run *run)
{
    if (__atomic_load_n(&checks.wrong, __ATOMIC_RELAXED))
        trust_nobody();
    if (!__atomic_load_n(&checks.due, __ATOMIC_SEQ_CST) &&
        !__atomic_load_n(&checks.pending, __ATOMIC_RELAXED))
        return false;
    if (!weft__try_lock(&checks.lock))
        return false;
    if (weft__ended(run)) {
        weft__unlock(&checks.lock); /* they are another run's by now */
        return false;
    }
    if (!checks.now && __atomic_exchange_n(&checks.due, 0, __ATOMIC_SEQ_CST))
        next_round();
    for (int i = 0; i < CHECKS_AT_ONCE && checks.now; i++) {
        struct weft__fd *state = checks.now;
        checks.now = state->next_check;
        check(run, state);
    }
    bool more = checks.now != NULL;
    __atomic_store_n(&checks.pending, more, __ATOMIC_RELAXED);
    weft__unlock(&checks.lock);
    return more;
}

/* ---- polling ---- */

/* With thousands of descriptors, each one's state and waiter are far from the CPU. What is read
 * here need not be right. */
__attribute__((no_sanitize("thread"))) static void prefetch(const struct epoll_event *events,
                                                            long i, long n)
{
    if (i + 4 < n)
        __builtin_prefetch(weft__fd_find(events[i + 4].data.fd), 1);
    const struct weft__fd *state = i + 2 < n ? weft__fd_find(events[i + 2].data.fd) : NULL;
    if (state)
        __builtin_prefetch(__atomic_load_n(&state->waiters, __ATOMIC_RELAXED), 1);
}

/* A kick is for whoever sleeps, which is one at most; who only has a look leaves it to that one. */
void weft__netpoll(struct weft__run *run, int64_t ns)
{
    struct epoll_event events[EVENTS_AT_ONCE];
    if (run_checks(run))
        ns = 0;
    long n = weft__epoll_wait(run->epoll_fd, events, EVENTS_AT_ONCE, ns);
    for (long i = 0; i < n; i++) {
        uint64_t count;
        prefetch(events, i, n);
        if (events[i].data.fd >= 0)
            on_event(run, events[i].data.fd, events[i].events);
        else if (ns != 0 && read(run->event_fd, &count, sizeof count) < 0)
            continue; /* it was for the one before */
    }
}

/* ---- waiting ---- */

static void on_time(struct weft__timer *timer, int64_t now)
{
    struct poll_waiter *p =
        (struct poll_waiter *)(void *)((char *)timer - offsetof(struct poll_waiter, timer));
    (void)now;
    if (weft__win(p->task, BY_TIME))
        wake(p->task);
}

/* With the lock of the descriptor. */
static void limit_wait(struct poll_waiter *p, int64_t when)
{
    p->until = when;
    if (when == INT64_MAX) {
        if (p->timed)
            weft__timer_cancel(&p->timer);
        return;
    }
    if (!p->timed) {
        p->timer = (struct weft__timer){0};
        weft__timer_init(&p->timer, on_time);
    }
    p->timed = true;
    if (!weft__timer_start(&p->timer, when))
        weft__fatal("no memory for a timer");
}

/* Once nobody runs on the task's stack, as the timer may make it ready at once. The waiter is gone
 * when the lock is. */
static void limit_and_unlock(void *arg)
{
    struct poll_waiter *waiter = arg;
    struct weft__fd *state = waiter->state;
    limit_wait(waiter, waiter->until);
    weft__unlock(&state->lock);
}

static int finish(struct weft__fd *state, struct poll_waiter *waiter)
{
    weft__lock(&state->lock);
    if (waiter->queued)
        unqueue(state, waiter);
    weft__unlock(&state->lock);
    if (waiter->timed)
        weft__timer_cancel(&waiter->timer);
    uint32_t who = __atomic_load_n(&waiter->task->won, __ATOMIC_ACQUIRE);
    return who == BY_EVENT  ? (int)(unsigned short)waiter->got
           : who == BY_TIME ? -ETIMEDOUT
                            : WEFT__CLOSED;
}

/* With the lock of the descriptor and the waiter in its queue. 0: it shall park. */
static int ask(struct weft__run *run, struct weft__fd *state, const struct poll_waiter *waiter)
{
    if ((weft__fd_look(state) & WEFT__FD_EDGES) && state->epoch == run->epoch &&
        !(waiter->events & POLLOUT)) {
        state->round = __atomic_load_n(&checks.round, __ATOMIC_RELAXED);
        if (!state->listed)
            list_check(state);
        return 0;
    }
    return arm(run, state);
}

/* Neither among the waiters of the next run nor counted in it. With the lock of the descriptor. */
static void park_for_good(struct weft_task *t, const struct weft__use *use)
{
    struct weft__fd *state = use->state;
    weft__unlock(&state->lock);
    weft__use_end(use);
    weft__lock(&state->lock);
    weft__park(t, &state->lock);
}

int weft__netpoll_wait(struct weft_task *t, const struct weft__fd_wait *wait)
{
    struct weft__fd *state = wait->use->state;
    if (!state)
        return wait->use->fd < 0 ? -EBADF : -ENOMEM;
    struct poll_waiter waiter;
    waiter.task = t;
    waiter.state = state;
    waiter.events = wait->events;
    waiter.limit = wait->limit;
    waiter.timed = false;
    waiter.queued = true;
    __atomic_store_n(&t->won, 0, __ATOMIC_RELAXED);
    weft__lock(&state->lock);
    if (weft__use_is_closing(state) || (weft__fd_look(state) ^ wait->word) / WEFT__FD_EVENT != 0) {
        weft__unlock(&state->lock);
        return weft__use_is_closing(state) ? -EBADF : 0;
    }
    if (weft__ended(t->worker->run))
        park_for_good(t, wait->use);
    waiter.until = wait->limit == WEFT__OWN_LIMIT ? wait->until : state->deadline[wait->limit];
    waiter.next = state->waiters;
    __atomic_store_n(&state->waiters, &waiter, __ATOMIC_RELAXED); /* prefetch reads it */
    int r = ask(t->worker->run, state, &waiter);
    if (r != 0) {
        unqueue(state, &waiter);
        weft__unlock(&state->lock);
        return r;
    }
    bool timed = waiter.until != INT64_MAX;
    weft__will_wait(t, wait->why, (const void *)(intptr_t)wait->use->fd, timed, wait->caller);
    __atomic_fetch_add(&waiting, 1, __ATOMIC_SEQ_CST);
    if (timed)
        weft__park_call(t, limit_and_unlock, &waiter);
    else
        weft__park(t, &state->lock);
    return finish(state, &waiter);
}

/* ---- what is known of a descriptor ---- */

/* With its lock. All that was known is void. */
static void reset(struct weft__fd *state, uint32_t bits)
{
    weft__fd_move(state, WEFT__FD_EVENT - 1, bits);
    state->epoch = 0;
    state->deadline[0] = state->deadline[1] = INT64_MAX;
    weft__use_evict(state, deliver(state, POLLNVAL, BY_CLOSE));
}

void weft__fd_adopt(int fd)
{
    struct weft__fd *state = weft__fd_get(fd);
    if (!state)
        return;
    bool trust = !__atomic_load_n(&checks.distrust, __ATOMIC_RELAXED);
    weft__lock(&state->lock);
    reset(state, trust ? WEFT__FD_EDGES | WEFT__FD_READABLE : 0);
    weft__unlock(&state->lock);
}

void weft__fd_trust(int fd)
{
    struct weft__fd *state = weft__fd_get(fd);
    if (!state || __atomic_load_n(&checks.distrust, __ATOMIC_RELAXED))
        return;
    weft__lock(&state->lock);
    weft__fd_move(state, WEFT__FD_STREAM | WEFT__FD_ASKED | WEFT__FD_MORE,
                  WEFT__FD_EDGES | WEFT__FD_READABLE);
    state->epoch = 0;
    weft__unlock(&state->lock);
}

void weft__fd_distrust(int fd)
{
    struct weft__fd *state = weft__fd_find(fd);
    if (state)
        trust_no_more(state);
}

/* Copies of the descriptor, in this process or another, would go on causing events. */
static void drop_registration(const struct weft__fd *state)
{
    struct weft__run *run = weft__visit();
    if (run && state->epoch == run->epoch)
        epoll_ctl(run->epoll_fd, EPOLL_CTL_DEL, state->fd, NULL);
    weft__leave();
}

void weft__fd_forget(int fd)
{
    struct weft__fd *state = weft__fd_find(fd);
    if (!state)
        return;
    weft__lock(&state->lock);
    if (state->epoch != 0)
        drop_registration(state);
    reset(state, 0);
    weft__unlock(&state->lock);
}

/* Some may have begun to wait for what is closed, or already for what has the number now. */
void weft__fd_closed(int fd)
{
    struct weft__fd *state = weft__fd_find(fd);
    if (!state)
        return;
    weft__lock(&state->lock);
    deliver(state, POLLNVAL, BY_EVENT);
    weft__unlock(&state->lock);
}

static void apply_deadline(struct weft__fd *state, enum weft__limit limit, int64_t when)
{
    state->deadline[limit] = when;
    struct poll_waiter *next;
    for (struct poll_waiter *p = state->waiters; p; p = next) {
        next = p->next;
        if (p->limit != limit)
            continue;
        limit_wait(p, when);
    }
}

static void set_deadlines(struct weft__fd *state, unsigned limits, int64_t when)
{
    weft__lock(&state->lock);
    for (enum weft__limit i = WEFT__READ_DEADLINE; i <= WEFT__WRITE_DEADLINE; i++) {
        if (limits & (1u << i))
            apply_deadline(state, i, when);
    }
    bool limited = state->deadline[0] != INT64_MAX || state->deadline[1] != INT64_MAX;
    if (limited)
        __atomic_fetch_or(&state->word, WEFT__FD_LIMITED, __ATOMIC_ACQ_REL);
    else
        __atomic_fetch_and(&state->word, ~(uint32_t)WEFT__FD_LIMITED, __ATOMIC_ACQ_REL);
    weft__unlock(&state->lock);
}

int weft__fd_set_deadline(int fd, unsigned limits, int64_t when)
{
    struct weft__use use;
    if (!weft__use_begin(&use, fd))
        return -EBADF;
    if (fcntl(fd, F_GETFD) < 0)
        return (int)weft__use_result(&use, -errno);
    if (!use.state)
        return -ENOMEM;
    if (when <= 0)
        when = when == 0 ? INT64_MAX : 1; /* none; or long past */
    set_deadlines(use.state, limits, when);
    return (int)weft__use_result(&use, 0);
}

bool weft__fd_is_late(struct weft__fd *state, enum weft__limit limit)
{
    weft__lock(&state->lock);
    int64_t when = state->deadline[limit];
    weft__unlock(&state->lock);
    return when != INT64_MAX && weft_now() >= when;
}
