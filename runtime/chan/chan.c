/*
 * Channels. A value goes straight from the sender's memory to the receiver's when one of them
 * waits; through the buffer otherwise.
 *
 * Design notes
 *
 * A waiter lies on the stack of its parked task, and so do the values it gives or takes: the
 * partner copies while it holds the lock, before it makes the task ready. With a buffer, a waiting
 * sender means that it is full and a waiting receiver that it is empty, so order is kept: a
 * receive takes the oldest of the buffer and moves the first sender's value in.
 */
#include "runtime/chan/chan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- life ---- */

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
    memset(c, 0, sizeof *c);
    c->refs = 1;
    c->size = size;
    c->capacity = capacity;
    c->kind = (uint8_t)kind;
    if (kind != LOITER_OBJ_OTHER)
        LOITER_CALL(loiter_object_created, (kind, c, capacity, caller));
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

/* Not counting tasks of earlier runs. */
static bool somebody_waits(const struct weft_waitq *q)
{
    for (const struct weft__waiter *w = q->head; w; w = w->next) {
        if (!weft__abandoned(w->task))
            return true;
    }
    return false;
}

void weft_chan_release(struct weft_chan *c)
{
    if (!c || __atomic_fetch_sub(&c->refs, 1, __ATOMIC_ACQ_REL) != 1)
        return;
    /* Whoever was in the channel last may not have given up the lock yet. */
    weft__lock(&c->lock);
    size_t left = c->count;
    bool waits = somebody_waits(&c->receivers) || somebody_waits(&c->senders);
    weft__unlock(&c->lock);
    if (waits)
        weft__fatal("release of a channel on which tasks wait");
    if (c->kind != LOITER_OBJ_OTHER)
        LOITER_CALL(loiter_object_destroyed, ((enum loiter_object)c->kind, c, left));
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

/* ---- the two steps ---- */

static unsigned char *place(struct weft_chan *c, size_t at)
{
    if (at >= c->capacity)
        at -= c->capacity;
    return c->buffer + at * c->size;
}

static void copy(const struct weft_chan *c, void *to, const void *from)
{
    if (c->size == sizeof(uint64_t) && to && from)
        memcpy(to, from, sizeof(uint64_t));
    else if (c->size != 0 && to && from)
        memcpy(to, from, c->size);
}

static void set_count(struct weft_chan *c, size_t count)
{
    __atomic_store_n(&c->count, count, __ATOMIC_RELAXED);
}

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
    copy(c, place(c, c->first + c->count), value);
    set_count(c, c->count + 1);
    return WEFT__DONE;
}

enum weft__step weft__chan_recv_step(struct weft_chan *c, void *value, struct weft_task **wake)
{
    *wake = NULL;
    if (c->count > 0) {
        copy(c, value, place(c, c->first));
        if (++c->first == c->capacity)
            c->first = 0;
        set_count(c, c->count - 1);
    } else if (c->closed) {
        if (value)
            memset(value, 0, c->size);
        return WEFT__CLOSED;
    } else if (c->capacity > 0) {
        return WEFT__MUST_WAIT;
    }
    bool from_buffer = c->capacity > 0;
    struct weft__waiter *s = weft__waitq_pop(&c->senders);
    if (!s)
        return from_buffer ? WEFT__DONE : WEFT__MUST_WAIT;
    if (from_buffer) {
        copy(c, place(c, c->first + c->count), s->slot);
        set_count(c, c->count + 1);
    } else {
        copy(c, value, s->slot);
    }
    s->passed = true;
    *wake = s->task;
    return WEFT__DONE;
}

bool weft__chan_send_hint(const struct weft_chan *c)
{
    return __atomic_load_n(&c->closed, __ATOMIC_ACQUIRE) ||
           __atomic_load_n(&c->count, __ATOMIC_RELAXED) < c->capacity ||
           __atomic_load_n(&c->receivers.head, __ATOMIC_RELAXED);
}

bool weft__chan_recv_hint(const struct weft_chan *c)
{
    return __atomic_load_n(&c->count, __ATOMIC_ACQUIRE) > 0 ||
           __atomic_load_n(&c->senders.head, __ATOMIC_RELAXED) ||
           __atomic_load_n(&c->closed, __ATOMIC_ACQUIRE);
}

/* ---- send and receive ---- */

/* With the lock held, which is given up. True if a partner passed a value, false for a close. */
static bool wait_on(struct weft_chan *c, struct weft_task *t, struct weft_waitq *q, void *slot,
                    enum weft__wait why, const void *caller)
{
    struct weft__waiter w = {.task = t, .slot = slot};
    weft__waitq_push(q, &w);
    weft__will_wait(t, why, c, false, caller);
    weft__park(t, &c->lock);
    return w.passed;
}

static int wait_forever(enum weft__wait why, const void *caller)
{
    struct weft_task *t = weft__self_or_die();
    weft__will_wait(t, why, NULL, false, caller);
    weft__park(t, NULL);
    return -EAGAIN; /* never: nobody knows of this wait */
}

static int send_to(struct weft_chan *c, const void *value, bool wait, const void *caller)
{
    struct weft_task *wake;
    weft__lock(&c->lock);
    enum weft__step step = weft__chan_send_step(c, value, &wake);
    if (step == WEFT__MUST_WAIT && wait) {
        if (wait_on(c, weft__self_or_die(), &c->senders, (void *)(uintptr_t)value, WEFT__WAIT_SEND,
                    caller))
            return 0;
        step = WEFT__CLOSED;
    } else {
        weft__unlock(&c->lock);
    }
    if (step == WEFT__CLOSED)
        weft__fatal("send on closed channel");
    if (wake)
        weft__ready(wake, c);
    return step == WEFT__DONE ? 0 : -EAGAIN;
}

int weft_chan_send(struct weft_chan *c, const void *value)
{
    if (!c)
        return wait_forever(WEFT__WAIT_SEND_NIL, WEFT_CALLER());
    return send_to(c, value, true, WEFT_CALLER());
}

int weft_chan_try_send(struct weft_chan *c, const void *value)
{
    if (!c || !weft__chan_send_hint(c))
        return -EAGAIN;
    return send_to(c, value, false, NULL);
}

static int recv_from(struct weft_chan *c, void *value, bool wait, const void *caller)
{
    struct weft_task *wake;
    weft__lock(&c->lock);
    enum weft__step step = weft__chan_recv_step(c, value, &wake);
    if (step == WEFT__MUST_WAIT && wait) {
        if (wait_on(c, weft__self_or_die(), &c->receivers, value, WEFT__WAIT_RECV, caller))
            return 0;
        return -EPIPE;
    }
    weft__unlock(&c->lock);
    if (wake)
        weft__ready(wake, c);
    return step == WEFT__DONE ? 0 : step == WEFT__CLOSED ? -EPIPE : -EAGAIN;
}

int weft_chan_recv(struct weft_chan *c, void *value)
{
    if (!c)
        return wait_forever(WEFT__WAIT_RECV_NIL, WEFT_CALLER());
    return recv_from(c, value, true, WEFT_CALLER());
}

int weft_chan_try_recv(struct weft_chan *c, void *value)
{
    if (!c || !weft__chan_recv_hint(c))
        return -EAGAIN;
    return recv_from(c, value, false, NULL);
}

/* ---- close ---- */

static void take_all(struct weft_chan *c, struct weft_waitq *q, bool zero, struct weft_task ***tail)
{
    struct weft__waiter *w;
    while ((w = weft__waitq_pop(q))) {
        if (zero && w->slot)
            memset(w->slot, 0, c->size);
        w->passed = false;
        w->task->next = NULL; /* it is in no queue: the link is free */
        **tail = w->task;
        *tail = &w->task->next;
    }
}

void weft__chan_close(struct weft_chan *c, const void *caller)
{
    struct weft_task *list = NULL, **tail = &list;
    if (!c)
        weft__fatal("close of nil channel");
    weft__lock(&c->lock);
    if (c->closed) {
        weft__unlock(&c->lock);
        weft__fatal("close of closed channel");
    }
    LOITER_CALL(loiter_object_closed, ((enum loiter_object)c->kind, c, caller));
    __atomic_store_n(&c->closed, true, __ATOMIC_RELEASE);
    take_all(c, &c->receivers, true, &tail);
    take_all(c, &c->senders, false, &tail);
    weft__unlock(&c->lock);
    while (list) {
        struct weft_task *t = list;
        list = t->next;
        weft__ready(t, c);
    }
}

void weft_chan_close(struct weft_chan *c)
{
    weft__chan_close(c, WEFT_CALLER());
}
