/*
 * Channels. A value goes straight from the sender's memory to the receiver's when one of them
 * waits; through the buffer otherwise.
 *
 * Design notes
 *
 * A waiter lies on the stack of its parked task, and so do the values it gives or takes: the
 * partner copies while it holds the lock, before it makes the task ready. With a buffer, a waiting
 * sender means that it is full and a waiting receiver that it is empty, so order is kept: a receive
 * takes the oldest of the buffer and moves the first sender's value in.
 *
 * The public send and receive do only what is most frequent: an element of a usual size through the
 * buffer. They call nothing and so save no registers; the rest stands in functions of its own.
 */
#include "runtime/chan/chan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/sched/dump.h"

#define LIKELY(condition) __builtin_expect(!!(condition), 1)

/* ---- life ---- */

void weft__chan_init(struct weft_chan *c, size_t size, size_t capacity, enum loiter_object kind)
{
    memset(c, 0, sizeof *c);
    c->refs = 1;
    c->size = size;
    c->capacity = capacity;
    c->kind = (uint8_t)kind;
}

struct weft_chan *weft__chan_new(size_t size, size_t capacity, enum loiter_object kind,
                                 const void *caller)
{
    size_t bytes, total;
    if (__builtin_mul_overflow(size, capacity, &bytes) ||
        __builtin_add_overflow(bytes, sizeof(struct weft_chan), &total) || total > PTRDIFF_MAX)
        return NULL;
    struct weft_chan *c = malloc(total);
    if (!c)
        return NULL;
    weft__chan_init(c, size, capacity, kind);
    if (kind != LOITER_OBJ_OTHER)
        LOITER_CALL(loiter_object_created, (kind, c, capacity, caller));
    if (kind == LOITER_OBJ_CHAN && capacity != 0)
        LOITER_CALL(loiter_object_items, (c, &c->count, size));
    return c;
}

struct weft_chan *weft_chan_new(size_t elem_size, size_t capacity)
{
    return weft__chan_new(elem_size, capacity, LOITER_OBJ_CHAN, WEFT_CALLER());
}

struct weft_chan *weft_chan_retain(struct weft_chan *c)
{
    if (c)
        __atomic_fetch_add(&c->refs, 1, __ATOMIC_RELAXED);
    return c;
}

/* Not counting tasks of earlier runs. NULL: nobody. */
static const struct weft_task *first_waiting(const struct weft_waitq *q)
{
    for (const struct weft__waiter *w = q->head; w; w = w->next) {
        if (!weft__abandoned(w->task))
            return w->task;
    }
    return NULL;
}

/* Gives up one of several references: true if it was the last after all. */
static bool release_one(struct weft_chan *c, uint32_t refs, const void *caller)
{
    /* Said before, as the timer may take the channel with it after. */
    if (__builtin_expect(__atomic_load_n(&c->of_after, __ATOMIC_RELAXED), 0) && refs == 2)
        LOITER_CALL(loiter_timer_dropped, ((const char *)c + WEFT__TIMED_CHAN_BYTES, caller));
    return __atomic_fetch_sub(&c->refs, 1, __ATOMIC_ACQ_REL) == 1;
}

void weft_chan_release(struct weft_chan *c)
{
    if (!c)
        return;
    /* Nobody else can take a reference when there is only this one. */
    uint32_t refs = __atomic_load_n(&c->refs, __ATOMIC_ACQUIRE);
    if (refs != 1 && !release_one(c, refs, WEFT_CALLER()))
        return;
    /* Whoever was in the channel last may not have given up the lock yet; nobody comes after. */
    if (__atomic_load_n(&c->lock, __ATOMIC_ACQUIRE))
        weft__solo_lock(&c->lock);
    const struct weft_task *waits = first_waiting(&c->receivers);
    if (waits || (waits = first_waiting(&c->senders)))
        weft__fatal_object("release of a channel on which tasks wait", c, WEFT_CALLER(),
                           "one waits", weft__waits_at(waits));
    if (c->kind != LOITER_OBJ_OTHER)
        LOITER_CALL(loiter_object_destroyed, ((enum loiter_object)c->kind, c, c->count));
    free(c);
}

size_t weft_chan_len(const struct weft_chan *c)
{
    return c ? __atomic_load_n(&c->count, __ATOMIC_RELAXED) : 0;
}

size_t weft_chan_cap(const struct weft_chan *c)
{
    return c ? c->capacity : 0;
}

/* ---- the buffer ---- */

/* The usual sizes without a call. False: another. */
static inline bool copy_usual(void *to, const void *from, size_t size)
{
    if (LIKELY(size == 8))
        memcpy(to, from, 8);
    else if (size == 4)
        memcpy(to, from, 4);
    else if (size == 16)
        memcpy(to, from, 16);
    else
        return size == 0;
    return true;
}

static inline void copy(const struct weft_chan *c, void *to, const void *from)
{
    if (to && from && !copy_usual(to, from, c->size))
        memcpy(to, from, c->size);
}

static inline unsigned char *place_of_next(struct weft_chan *c)
{
    size_t at = c->first + c->count;
    if (at >= c->capacity)
        at -= c->capacity;
    return c->buffer + at * c->size;
}

static inline void set_count(struct weft_chan *c, size_t count)
{
    __atomic_store_n(&c->count, count, __ATOMIC_RELEASE);
}

static inline void drop_first(struct weft_chan *c)
{
    size_t first = c->first + 1;
    c->first = first == c->capacity ? 0 : first;
    set_count(c, c->count - 1);
}

static inline void append(struct weft_chan *c, const void *value)
{
    copy(c, place_of_next(c), value);
    set_count(c, c->count + 1);
}

bool weft__chan_drain(struct weft_chan *c)
{
    weft__chan_lock(c);
    bool any = c->count > 0;
    set_count(c, 0);
    weft__unlock(&c->lock);
    return any;
}

/* ---- the two steps ---- */

enum weft__step weft__chan_send_step(struct weft_chan *c, const void *value,
                                     struct weft_task **wake)
{
    *wake = NULL;
    if (c->closed)
        return WEFT__CLOSED;
    struct weft__waiter *r = weft__waitq_pop(&c->receivers);
    if (r) {
        copy(c, r->slot, value);
        r->passed = true;
        *wake = r->task;
        return WEFT__DONE;
    }
    if (c->count == c->capacity)
        return WEFT__MUST_WAIT;
    append(c, value);
    return WEFT__DONE;
}

enum weft__step weft__chan_recv_step(struct weft_chan *c, void *value, struct weft_task **wake)
{
    *wake = NULL;
    bool from_buffer = c->count > 0;
    if (from_buffer) {
        copy(c, value, c->buffer + c->first * c->size);
        drop_first(c);
    } else if (c->closed) {
        if (value)
            memset(value, 0, c->size);
        return WEFT__CLOSED;
    }
    struct weft__waiter *s = weft__waitq_pop(&c->senders);
    if (!s)
        return from_buffer ? WEFT__DONE : WEFT__MUST_WAIT;
    if (from_buffer)
        append(c, s->slot);
    else
        copy(c, value, s->slot);
    s->passed = true;
    *wake = s->task;
    return WEFT__DONE;
}

/* ---- send and receive ---- */

/* With the lock held, which is given up. True if a partner passed a value, false for a close. */
static inline bool wait_on(struct weft_chan *c, struct weft_waitq *q, void *slot,
                           enum weft__wait why, const void *caller)
{
    struct weft__waiter w = {.task = weft__self_or_die(), .slot = slot};
    weft__waitq_push(q, &w);
    weft__will_wait(w.task, why, c, false, caller);
    weft__park(w.task, &c->lock);
    return w.passed;
}

static int wait_forever(enum weft__wait why, const void *caller)
{
    struct weft_task *t = weft__self_or_die();
    weft__will_wait(t, why, NULL, false, caller);
    weft__park(t, NULL);
    return -EAGAIN; /* never: nobody knows of this wait */
}

void weft__chan_sent_on_closed(struct weft_chan *c, const void *caller)
{
    weft__fatal_object("send on closed channel", c, caller, "closed", c->closed_at);
}

/* With the lock held, which is given up. */
__attribute__((noinline)) static int send_locked(struct weft_chan *c, const void *value, bool wait,
                                                 const void *caller)
{
    struct weft_task *wake;
    enum weft__step step = weft__chan_send_step(c, value, &wake);
    if (step == WEFT__MUST_WAIT && wait) {
        if (wait_on(c, &c->senders, (void *)(uintptr_t)value, WEFT__WAIT_SEND, caller))
            return 0;
        weft__chan_sent_on_closed(c, caller);
    }
    weft__unlock(&c->lock);
    if (step == WEFT__CLOSED)
        weft__chan_sent_on_closed(c, caller);
    if (wake)
        weft__ready(wake, c);
    return step == WEFT__DONE ? 0 : -EAGAIN;
}

/* Where the lock was not free, or there is no channel. */
__attribute__((noinline)) static int send_later(struct weft_chan *c, const void *value, bool wait,
                                                const void *caller)
{
    if (!c)
        return wait ? wait_forever(WEFT__WAIT_SEND_NIL, caller) : -EAGAIN;
    weft__chan_lock(c);
    return send_locked(c, value, wait, caller);
}

static inline int send_by(struct weft_chan *c, const void *value, bool wait, const void *caller)
{
    if (!c || !weft__chan_try_quickly(c))
        return send_later(c, value, wait, caller);
    if (c->receivers.head || c->closed || c->count >= c->capacity || !value ||
        !copy_usual(place_of_next(c), value, c->size))
        return send_locked(c, value, wait, caller);
    set_count(c, c->count + 1);
    weft__unlock(&c->lock);
    return 0;
}

int weft_chan_send(struct weft_chan *c, const void *value)
{
    return send_by(c, value, true, WEFT_CALLER());
}

/* What a try gave; one in vain may be a turn of a loop. */
static inline int tried(int result, const void *caller)
{
    if (result == -EAGAIN)
        weft__spins(weft__worker(), true, caller);
    return result;
}

int weft_chan_try_send(struct weft_chan *c, const void *value)
{
    if (!c || !weft__chan_send_hint(c))
        return tried(-EAGAIN, WEFT_CALLER());
    return tried(send_by(c, value, false, NULL), WEFT_CALLER());
}

__attribute__((noinline)) static int recv_locked(struct weft_chan *c, void *value, bool wait,
                                                 const void *caller)
{
    struct weft_task *wake;
    enum weft__step step = weft__chan_recv_step(c, value, &wake);
    if (step == WEFT__MUST_WAIT && wait)
        return wait_on(c, &c->receivers, value, WEFT__WAIT_RECV, caller) ? 0 : -EPIPE;
    weft__unlock(&c->lock);
    if (wake)
        weft__ready(wake, c);
    return step == WEFT__DONE ? 0 : step == WEFT__CLOSED ? -EPIPE : -EAGAIN;
}

__attribute__((noinline)) static int recv_later(struct weft_chan *c, void *value, bool wait,
                                                const void *caller)
{
    if (!c)
        return wait ? wait_forever(WEFT__WAIT_RECV_NIL, caller) : -EAGAIN;
    weft__chan_lock(c);
    return recv_locked(c, value, wait, caller);
}

static inline int recv_by(struct weft_chan *c, void *value, bool wait, const void *caller)
{
    if (!c || !weft__chan_try_quickly(c))
        return recv_later(c, value, wait, caller);
    if (c->senders.head || c->count == 0 || !value ||
        !copy_usual(value, c->buffer + c->first * c->size, c->size))
        return recv_locked(c, value, wait, caller);
    drop_first(c);
    weft__unlock(&c->lock);
    return 0;
}

int weft__chan_recv(struct weft_chan *c, void *value, const void *caller)
{
    return recv_by(c, value, true, caller);
}

int weft_chan_recv(struct weft_chan *c, void *value)
{
    return recv_by(c, value, true, WEFT_CALLER());
}

int weft_chan_try_recv(struct weft_chan *c, void *value)
{
    if (!c || !weft__chan_recv_hint(c))
        return tried(-EAGAIN, WEFT_CALLER());
    return tried(recv_by(c, value, false, NULL), WEFT_CALLER());
}

/* ---- close ---- */

/* So many wake at a time: others get the lock, what was read of those tasks is in the cache still
 * when they are made ready, and the first run while the last are looked for. */
enum { WOKEN_AT_ONCE = 64 };

/* Up to `most` who wait, behind the end of a list; how many there were. */
static unsigned take_some(struct weft_chan *c, struct weft_waitq *q, unsigned most,
                          struct weft_task ***tail)
{
    struct weft__waiter *w;
    unsigned n = 0;
    for (; n < most && (w = weft__waitq_pop(q)); n++) {
        if (q == &c->receivers && w->slot)
            memset(w->slot, 0, c->size);
        w->passed = false;
        w->task->next = NULL; /* it is in no queue: the link is free */
        **tail = w->task;
        *tail = &w->task->next;
    }
    return n;
}

/* With the lock of a closed channel, which is given up. True: there may be more, and the channel is
 * owned, unless it was already: those who wake may release it. */
static bool wake_some(struct weft_chan *c, bool owned)
{
    struct weft_task *list = NULL, **tail = &list;
    unsigned n = take_some(c, &c->receivers, WOKEN_AT_ONCE, &tail);
    n += take_some(c, &c->senders, WOKEN_AT_ONCE - n, &tail);
    bool more = n == WOKEN_AT_ONCE;
    if (more && !owned)
        weft_chan_retain(c);
    weft__unlock(&c->lock);
    weft__ready_all(list, c);
    return more;
}

void weft__chan_close(struct weft_chan *c, const void *caller)
{
    if (!c)
        weft__fatal_object("close of nil channel", NULL, caller, NULL, NULL);
    weft__chan_lock(c);
    if (c->closed) {
        weft__unlock(&c->lock);
        weft__fatal_object("close of closed channel", c, caller, "closed before", c->closed_at);
    }
    LOITER_CALL(loiter_object_closed, ((enum loiter_object)c->kind, c, caller));
    c->closed_at = caller;
    __atomic_store_n(&c->closed, true, __ATOMIC_RELEASE);
    if (!wake_some(c, false))
        return;
    do /* nobody queues any more */
        weft__chan_lock(c);
    while (wake_some(c, true));
    weft_chan_release(c);
}

void weft_chan_close(struct weft_chan *c)
{
    weft__chan_close(c, WEFT_CALLER());
}
