/*
 * Waiting for the first of several channels.
 *
 * Design notes
 *
 * First all cases are looked at without a lock, and one of those that seem ready is tried under its
 * channel's lock alone. That none is ready is only true of one moment if no channel changed between
 * the first look and the last: their versions tell (see chan.h).
 *
 * To wait, all channels are locked, in the order of their addresses so that two selects never wait
 * for each other's lock. If still no case can go on, a waiter is queued at each and the task parks.
 * Whoever wakes it, partner, close or timer, must first change task->won from 0 to the number of
 * its case: so exactly one does, and a channel that lost takes its next waiter.
 *
 * The locks are given up on another stack after the switch. The list of channels lies on the task's
 * own stack or in memory that it frees; that is sound because the task, once woken, takes each of
 * these locks again before it goes on, but that of the channel which woke it and so had been given
 * up: it cannot get them before the last was given up, and after that one the list is not read.
 */
#include <errno.h>
#include <stdlib.h>

#include "runtime/chan/chan.h"
#include "runtime/sched/bound.h"
#include "runtime/time/timers.h"

enum { CASES_MAX = 65536, CASES_INLINE = 6, LOOKS_MAX = 3 };
#define BY_TIME UINT32_MAX

struct selection {
    struct weft_case *cases;
    unsigned n;
    unsigned live;         /* cases with a channel */
    unsigned default_case; /* n: none */
};

/* What only a wait needs. */
struct waiting {
    const struct selection *s;
    struct weft_task *task;
    struct weft_chan **order;     /* the channels by address; of s->live */
    struct weft__waiter *waiters; /* one for each case */
    bool timed;
    struct weft__timer timer;
};

/* ---- looking ---- */

static inline bool could_go_on(enum weft_case_kind kind, const struct weft_chan *c)
{
    return kind == WEFT_CASE_SEND ? weft__chan_send_hint(c) : weft__chan_recv_hint(c);
}

static inline bool seems_ready(const struct weft_case *it)
{
    return could_go_on(it->kind, it->chan);
}

static inline bool has_channel(const struct weft_case *it)
{
    return it->kind != WEFT_CASE_DEFAULT && it->chan;
}

/* A random one of `ready` cases that were seen to be; n if they no more are. */
__attribute__((noinline)) static unsigned choose(const struct weft_case *cases, unsigned n,
                                                 unsigned ready)
{
    unsigned chosen = n;
    unsigned before = ready > 1 ? (unsigned)(((uint64_t)weft__random() * ready) >> 32) : 0;
    for (unsigned i = 0; i < n; i++) {
        if (!has_channel(&cases[i]) || !seems_ready(&cases[i]))
            continue;
        chosen = i;
        if (before-- == 0)
            break;
    }
    return chosen;
}

/* What a look without a lock saw. */
struct seen {
    unsigned ready, last;        /* how many cases seem ready, and the last of them */
    unsigned live, default_case; /* as in a selection */
    uint64_t stamps; /* the sum over the channels: their versions above, below who was in one */
};

/* False: no valid cases. */
static inline bool look(const struct weft_case *cases, unsigned n, struct seen *seen)
{
    struct seen s = {.default_case = n};
    for (unsigned i = 0; i < n; i++) {
        enum weft_case_kind kind = cases[i].kind;
        const struct weft_chan *c = cases[i].chan;
        if (kind == WEFT_CASE_RECV || kind == WEFT_CASE_SEND) {
            if (!c)
                continue;
            s.live++;
            s.stamps += weft__chan_stamp(c);
            if (could_go_on(kind, c)) {
                s.ready++;
                s.last = i;
            }
        } else if (kind == WEFT_CASE_DEFAULT && s.default_case == n) {
            s.default_case = i;
        } else {
            return false;
        }
    }
    *seen = s;
    return true;
}

/* Whether what was seen was so at one moment. Versions only grow: their sum tells of each. */
static inline __attribute__((always_inline)) bool seen_at_once(const struct weft_case *cases,
                                                               unsigned n, const struct seen *seen)
{
    uint64_t stamps = 0;
    if (seen->live <= 1)
        return true;
    for (unsigned i = 0; i < n; i++) {
        if (has_channel(&cases[i]))
            stamps += weft__chan_stamp(cases[i].chan);
    }
    return (uint32_t)stamps == 0 && stamps == seen->stamps;
}

/* With all locked. */
static unsigned look_again(const struct selection *s)
{
    unsigned ready = 0;
    for (unsigned i = 0; i < s->n; i++)
        ready += has_channel(&s->cases[i]) && seems_ready(&s->cases[i]);
    return ready > 0 ? choose(s->cases, s->n, ready) : s->n;
}

/* ---- doing ---- */

static inline enum weft__step do_step(struct weft_case *it, struct weft_task **wake)
{
    return it->kind == WEFT_CASE_SEND ? weft__chan_send_step(it->chan, it->value, wake)
                                      : weft__chan_recv_step(it->chan, it->value, wake);
}

/* Without the lock. */
static inline void complete(struct weft_case *it, enum weft__step step, struct weft_task *wake,
                            const void *caller)
{
    if (step == WEFT__CLOSED && it->kind == WEFT_CASE_SEND)
        weft__chan_sent_on_closed(it->chan, caller);
    it->ok = step == WEFT__DONE;
    if (wake)
        weft__ready(wake, it->chan);
}

static bool try_one(struct weft_case *it, const void *caller)
{
    struct weft_task *wake;
    weft__chan_lock(it->chan);
    enum weft__step step = do_step(it, &wake);
    weft__unlock(&it->chan->lock);
    if (step == WEFT__MUST_WAIT)
        return false;
    complete(it, step, wake, caller);
    return true;
}

/* ---- all locks ---- */

static int by_address(const void *a, const void *b)
{
    uintptr_t x = (uintptr_t) * (struct weft_chan *const *)a;
    uintptr_t y = (uintptr_t) * (struct weft_chan *const *)b;
    return x < y ? -1 : x > y;
}

static void sort(struct weft_chan **order, unsigned n)
{
    if (n > CASES_INLINE) {
        qsort(order, n, sizeof(struct weft_chan *), by_address);
        return;
    }
    for (unsigned i = 1; i < n; i++) {
        struct weft_chan *c = order[i];
        unsigned k = i;
        for (; k > 0 && (uintptr_t)order[k - 1] > (uintptr_t)c; k--)
            order[k] = order[k - 1];
        order[k] = c;
    }
}

static void lock_all(struct waiting *w)
{
    const struct selection *s = w->s;
    unsigned live = 0;
    for (unsigned i = 0; i < s->n; i++) {
        if (has_channel(&s->cases[i]))
            w->order[live++] = s->cases[i].chan;
    }
    sort(w->order, live);
    for (unsigned i = 0; i < live; i++) {
        if (i == 0 || w->order[i] != w->order[i - 1])
            weft__chan_lock(w->order[i]);
    }
}

/* Reads the list no more once the last lock is given up. */
static void unlock_all(struct waiting *w)
{
    unsigned live = w->s->live;
    struct weft_chan **order = w->order;
    struct weft_chan *c = live ? order[0] : NULL;
    for (unsigned i = 1; i < live; i++) {
        struct weft_chan *next = order[i];
        if (next == c)
            continue;
        weft__unlock(&c->lock);
        c = next;
    }
    if (c)
        weft__unlock(&c->lock);
}

/* ---- the wait ---- */

static void on_time(struct weft__timer *timer, int64_t now)
{
    struct waiting *w = (struct waiting *)(void *)((char *)timer - offsetof(struct waiting, timer));
    (void)now;
    if (weft__win(w->task, BY_TIME))
        weft__ready(w->task, NULL);
}

/* Once nobody runs on the task's stack. */
static void arm_and_unlock(void *arg)
{
    struct waiting *w = arg;
    if (!w->timed) {
        unlock_all(w);
        return;
    }
    bool live = w->s->live != 0;
    if (!weft__wait_arm(w->task, &w->timer, w->timer.when))
        weft__fatal("no memory for a timer");
    if (live) /* else nothing keeps the task from going on: its stack is not to be
                 read */
        unlock_all(w);
}

static inline struct weft_waitq *queue_of(const struct weft_case *it)
{
    return it->kind == WEFT_CASE_SEND ? &it->chan->senders : &it->chan->receivers;
}

static void enqueue(struct waiting *w)
{
    for (unsigned i = 0; i < w->s->n; i++) {
        const struct weft_case *it = &w->s->cases[i];
        if (!has_channel(it))
            continue;
        w->waiters[i] = (struct weft__waiter){.task = w->task, .slot = it->value, .who = i + 1};
        weft__waitq_push(queue_of(it), &w->waiters[i]);
    }
}

/* At the channel of the case that won there is no waiter left, nor a lock to wait for. */
static void dequeue(struct waiting *w, uint32_t won)
{
    for (unsigned i = 0; i < w->s->n; i++) {
        const struct weft_case *it = &w->s->cases[i];
        if (!has_channel(it) || i + 1 == won)
            continue;
        weft__chan_lock(it->chan);
        if (w->waiters[i].queued)
            weft__waitq_remove(queue_of(it), &w->waiters[i]);
        weft__unlock(&it->chan->lock);
    }
    if (w->timed)
        weft__wait_disarm(w->task, &w->timer);
}

/* With all locked. */
static int wait(struct waiting *w, const void *caller)
{
    const struct selection *s = w->s;
    struct weft_task *t = w->task = weft__self_or_die();
    bool never = s->live == 0 && !w->timed;
    __atomic_store_n(&t->won, 0, __ATOMIC_RELAXED);
    enqueue(w);
    weft__will_wait_all(t, never ? WEFT__WAIT_SELECT_NONE : WEFT__WAIT_SELECT,
                        (const void *const *)w->order, s->live, w->timed, caller);
    weft__park_call(t, arm_and_unlock, w);
    uint32_t won = __atomic_load_n(&t->won, __ATOMIC_ACQUIRE);
    dequeue(w, won);
    if (won == BY_TIME)
        return -ETIMEDOUT;
    struct weft_case *it = &s->cases[won - 1];
    it->ok = w->waiters[won - 1].passed;
    if (!it->ok && it->kind == WEFT_CASE_SEND)
        weft__chan_sent_on_closed(it->chan, caller);
    return (int)won - 1;
}

static int no_wait(const struct selection *s)
{
    return s->default_case != s->n ? (int)s->default_case : -ETIMEDOUT;
}

static int select_locked(struct waiting *w, bool may_wait, const void *caller)
{
    const struct selection *s = w->s;
    unsigned i;
    lock_all(w);
    /* A case that only seemed ready had waiters that were woken by others; they are gone now. */
    while ((i = look_again(s)) != s->n) {
        struct weft_task *wake;
        enum weft__step step = do_step(&s->cases[i], &wake);
        if (step == WEFT__MUST_WAIT)
            continue;
        unlock_all(w);
        complete(&s->cases[i], step, wake, caller);
        return (int)i;
    }
    if (may_wait)
        return wait(w, caller);
    unlock_all(w);
    return no_wait(s);
}

static int select_many(struct waiting *w, bool may_wait, const void *caller)
{
    size_t n = w->s->n;
    w->waiters = malloc(n * (sizeof(struct weft__waiter) + sizeof(struct weft_chan *)));
    if (!w->waiters)
        return -ENOMEM;
    w->order = (void *)(w->waiters + n);
    struct weft__waiter *memory = w->waiters;
    int r = select_locked(w, may_wait, caller);
    free(memory);
    return r;
}

static int select_slow(const struct selection *s, int64_t timeout_ns, const void *caller)
{
    struct weft__waiter waiters[CASES_INLINE];
    struct weft_chan *order[CASES_INLINE];
    struct waiting w = {.s = s, .order = order, .waiters = waiters, .timed = timeout_ns > 0};
    bool may_wait = s->default_case == s->n && timeout_ns != 0;
    if (w.timed)
        w.timer = (struct weft__timer){.when = weft__after_ns(timeout_ns), .fire = on_time};
    return s->n > CASES_INLINE ? select_many(&w, may_wait, caller)
                               : select_locked(&w, may_wait, caller);
}

__attribute__((noinline)) static int select_fully(struct weft_case *cases, unsigned n,
                                                  int64_t timeout_ns, const void *caller)
{
    struct selection s = {.cases = cases, .n = n};
    if (n > CASES_MAX)
        return -EINVAL;
    for (int looks = 0; looks < LOOKS_MAX; looks++) {
        struct seen seen;
        if (!look(cases, n, &seen))
            return -EINVAL;
        s.live = seen.live;
        s.default_case = seen.default_case;
        if (seen.ready > 0) {
            unsigned i = seen.ready > 1 ? choose(cases, n, seen.ready) : seen.last;
            if (i != n && try_one(&cases[i], caller))
                return (int)i;
            break;
        }
        if (s.default_case == n && timeout_ns != 0)
            break;
        if (seen_at_once(cases, n, &seen)) {
            weft__spins(weft__worker(), true, caller);
            return no_wait(&s);
        }
    }
    return select_slow(&s, timeout_ns, caller);
}

/* The default, which is the last case, is to be taken: no other can go on, and that was so at one
 * moment. False: look closely. */
static inline __attribute__((always_inline)) bool only_default(const struct weft_case *cases,
                                                               const struct weft_case *last)
{
    uint64_t stamps = 0;
    for (const struct weft_case *it = cases; it != last; it++) {
        const struct weft_chan *c = it->chan;
        if (it->kind != WEFT_CASE_RECV && it->kind != WEFT_CASE_SEND)
            return false;
        if (!c)
            continue;
        stamps += weft__chan_stamp(c);
        if (could_go_on(it->kind, c))
            return false;
    }
    if ((uint32_t)stamps != 0)
        return false;
    for (const struct weft_case *it = cases; it != last; it++) {
        if (it->chan)
            stamps -= weft__chan_stamp(it->chan);
    }
    return stamps == 0;
}

/* Polling calls nothing, where the default stands last. */
static inline __attribute__((always_inline)) int select_by(struct weft_case *cases, unsigned n,
                                                           int64_t timeout_ns, const void *caller)
{
    struct weft__worker *w = weft__worker();
    if (n - 1 < CASES_MAX && cases[n - 1].kind == WEFT_CASE_DEFAULT && w &&
        (w->spins + 1) % WEFT__SPIN_BLOCK != 0 && only_default(cases, &cases[n - 1])) {
        w->spins++;
        return (int)n - 1;
    }
    return select_fully(cases, n, timeout_ns, caller);
}

int weft__select(struct weft_case *cases, unsigned n, int64_t timeout_ns, const void *caller)
{
    return select_by(cases, n, timeout_ns, caller);
}

int weft_select(struct weft_case *cases, unsigned n, int64_t timeout_ns)
{
    return select_by(cases, n, timeout_ns, WEFT_CALLER());
}
