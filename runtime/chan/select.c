/*
 * Waiting for the first of several channels.
 *
 * Design notes
 *
 * All channels are locked, in the order of their addresses so that two selects never wait for each
 * other's lock. The cases are tried in random order; if none can go on, a waiter is queued at each
 * and the task parks. Whoever wakes it, partner, close or timer, must first change task->won from 0
 * to the number of its case: so exactly one does, and a channel that lost takes its next waiter.
 *
 * The locks are given up on another stack after the switch. The list of channels lies on the
 * task's own stack or in memory that it frees; that is sound because the task, once woken, takes
 * all of these locks again to remove its waiters before it goes on: it cannot get them before the
 * last was given up, and after that one the list is not read.
 */
#include <errno.h>
#include <stdlib.h>

#include "runtime/chan/chan.h"
#include "runtime/sched/bound.h"
#include "runtime/time/timers.h"

enum { CASES_MAX = 65536, CASES_INLINE = 6 };
#define BY_TIME UINT32_MAX

struct selection {
    struct weft_case *cases;
    unsigned n;
    unsigned live; /* cases with a channel */
    unsigned default_case;
    struct weft_task *task;
    struct weft_chan **order;     /* the channels by address; of `live` */
    uint32_t *poll;               /* the numbers of the live cases in random order */
    struct weft__waiter *waiters; /* one for each entry of `poll` */
    bool timed;
    struct weft__timer timer;
};

/* ---- preparation ---- */

static int check(struct selection *s)
{
    s->default_case = s->n;
    for (unsigned i = 0; i < s->n; i++) {
        switch (s->cases[i].kind) {
        case WEFT_CASE_DEFAULT:
            if (s->default_case != s->n)
                return -EINVAL;
            s->default_case = i;
            break;
        case WEFT_CASE_SEND:
        case WEFT_CASE_RECV:
            if (s->cases[i].chan)
                s->live++;
            break;
        default:
            return -EINVAL;
        }
    }
    return 0;
}

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

static void arrange(struct selection *s)
{
    unsigned n = 0;
    uint32_t random = s->live > 1 ? weft__random() : 0;
    for (unsigned i = 0; i < s->n; i++) {
        if (s->cases[i].kind == WEFT_CASE_DEFAULT || !s->cases[i].chan)
            continue;
        s->order[n] = s->cases[i].chan;
        unsigned k = n ? random % (n + 1) : 0;
        s->poll[n] = s->poll[k];
        s->poll[k] = i;
        random = random * 1664525u + 1013904223u;
        random ^= random >> 15;
        n++;
    }
    sort(s->order, n);
}

static void lock_all(struct selection *s)
{
    for (unsigned i = 0; i < s->live; i++) {
        if (i == 0 || s->order[i] != s->order[i - 1])
            weft__lock(&s->order[i]->lock);
    }
}

/* Reads the list no more once the last lock is given up. */
static void unlock_all(struct selection *s)
{
    unsigned live = s->live;
    struct weft_chan **order = s->order;
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

/* ---- the two ways ---- */

/* Does the first case that can go on, with all locked, and unlocks: its number. Else s->n. */
static unsigned try_cases(struct selection *s)
{
    for (unsigned k = 0; k < s->live; k++) {
        unsigned i = s->poll[k];
        struct weft_case *it = &s->cases[i];
        struct weft_task *wake;
        enum weft__step step = it->kind == WEFT_CASE_SEND
                                   ? weft__chan_send_step(it->chan, it->value, &wake)
                                   : weft__chan_recv_step(it->chan, it->value, &wake);
        if (step == WEFT__MUST_WAIT)
            continue;
        unlock_all(s);
        if (step == WEFT__CLOSED && it->kind == WEFT_CASE_SEND)
            weft__fatal("send on closed channel");
        it->ok = step == WEFT__DONE;
        if (wake)
            weft__ready(wake, it->chan);
        return i;
    }
    return s->n;
}

static void on_time(struct weft__timer *timer, int64_t now)
{
    struct selection *s =
        (struct selection *)(void *)((char *)timer - offsetof(struct selection, timer));
    (void)now;
    if (weft__win(s->task, BY_TIME))
        weft__ready(s->task, NULL);
}

/* Once nobody runs on the task's stack. */
static void arm_and_unlock(void *arg)
{
    struct selection *s = arg;
    if (!s->timed) {
        unlock_all(s);
        return;
    }
    int64_t when = s->timer.when;
    bool live = s->live != 0;
    if (!weft__wait_arm(s->task, &s->timer, when))
        weft__fatal("no memory for a timer");
    if (live) /* else nothing keeps the task from going on: its stack is not to be read */
        unlock_all(s);
    weft__timers_armed(when);
}

static void enqueue(struct selection *s)
{
    for (unsigned k = 0; k < s->live; k++) {
        struct weft_case *it = &s->cases[s->poll[k]];
        s->waiters[k] = (struct weft__waiter){.task = s->task, .slot = it->value, .who = k + 1};
        weft__waitq_push(it->kind == WEFT_CASE_SEND ? &it->chan->senders : &it->chan->receivers,
                         &s->waiters[k]);
    }
}

static void dequeue(struct selection *s)
{
    lock_all(s);
    for (unsigned k = 0; k < s->live; k++) {
        struct weft_case *it = &s->cases[s->poll[k]];
        if (s->waiters[k].queued)
            weft__waitq_remove(it->kind == WEFT_CASE_SEND ? &it->chan->senders
                                                          : &it->chan->receivers,
                               &s->waiters[k]);
    }
    unlock_all(s);
    if (s->timed)
        weft__wait_disarm(s->task, &s->timer);
}

/* With all locked. */
static int wait(struct selection *s, const void *caller)
{
    struct weft_task *t = s->task;
    bool never = s->live == 0 && !s->timed;
    __atomic_store_n(&t->won, 0, __ATOMIC_RELAXED);
    enqueue(s);
    weft__will_wait_all(t, never ? WEFT__WAIT_SELECT_NONE : WEFT__WAIT_SELECT,
                        (const void *const *)s->order, s->live, s->timed, caller);
    weft__park_call(t, arm_and_unlock, s);
    uint32_t won = __atomic_load_n(&t->won, __ATOMIC_ACQUIRE);
    dequeue(s);
    if (won == BY_TIME)
        return -ETIMEDOUT;
    unsigned i = s->poll[won - 1];
    struct weft_case *it = &s->cases[i];
    it->ok = s->waiters[won - 1].passed;
    if (!it->ok && it->kind == WEFT_CASE_SEND)
        weft__fatal("send on closed channel");
    return (int)i;
}

static int select_arranged(struct selection *s, int64_t timeout_ns, const void *caller)
{
    arrange(s);
    lock_all(s);
    unsigned i = try_cases(s);
    if (i != s->n)
        return (int)i;
    if (s->default_case != s->n || timeout_ns == 0) {
        unlock_all(s);
        return s->default_case != s->n ? (int)s->default_case : -ETIMEDOUT;
    }
    s->task = weft__self_or_die();
    return wait(s, caller);
}

/* One channel and no wait: whether it can go on is seen without its lock. */
static bool hopeless(const struct selection *s, int64_t timeout_ns)
{
    if (s->live != 1 || (s->default_case == s->n && timeout_ns != 0))
        return s->live == 0 && s->default_case != s->n;
    for (unsigned i = 0; i < s->n; i++) {
        const struct weft_case *it = &s->cases[i];
        if (it->kind == WEFT_CASE_SEND && it->chan)
            return !weft__chan_send_hint(it->chan);
        if (it->kind == WEFT_CASE_RECV && it->chan)
            return !weft__chan_recv_hint(it->chan);
    }
    return true;
}

static int select_many(struct selection *s, int64_t timeout_ns, const void *caller)
{
    size_t one = sizeof(struct weft__waiter) + sizeof(struct weft_chan *) + sizeof(uint32_t);
    char *memory = malloc(s->live * one);
    if (!memory)
        return -ENOMEM;
    s->waiters = (void *)memory;
    s->order = (void *)(memory + s->live * sizeof(struct weft__waiter));
    s->poll = (void *)(s->order + s->live);
    int r = select_arranged(s, timeout_ns, caller);
    free(memory);
    return r;
}

int weft_select(struct weft_case *cases, unsigned n, int64_t timeout_ns)
{
    struct selection s = {.cases = cases, .n = n};
    if (n > CASES_MAX)
        return -EINVAL;
    int r = check(&s);
    if (r < 0)
        return r;
    if (hopeless(&s, timeout_ns))
        return s.default_case != n ? (int)s.default_case : -ETIMEDOUT;
    s.timed = timeout_ns > 0;
    if (s.timed)
        s.timer = (struct weft__timer){.when = weft__after_ns(timeout_ns), .fire = on_time};
    if (s.live > CASES_INLINE)
        return select_many(&s, timeout_ns, WEFT_CALLER());
    struct weft__waiter waiters[CASES_INLINE];
    struct weft_chan *order[CASES_INLINE];
    uint32_t poll[CASES_INLINE];
    s.waiters = waiters;
    s.order = order;
    s.poll = poll;
    return select_arranged(&s, timeout_ns, WEFT_CALLER());
}
