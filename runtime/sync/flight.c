/*
 * Calls that are made once for all who ask meanwhile.
 *
 * A call is a record in a hash table under the flight's guard. Whoever runs its function owns it,
 * and so do those who wait for it but may leave: for them it has a channel, which is closed at the
 * end, and they copy the value out. The others wait in the call's queue and own nothing: each is
 * given the value, and touches nothing that is shared when it goes on. To who listens they wait for
 * the call as for a channel.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/chan/chan.h"
#include "runtime/map/hash.h"

enum { BUCKETS_MIN = 16, WOKEN_AT_ONCE = 64 };

/* Who waits until the end. */
struct joiner {
    struct weft__waiter waiter; /* its slot: the caller's `value` */
    int err;
};

struct call {
    struct call *next; /* in its bucket */
    struct weft_flight *flight;
    struct weft_chan *done; /* NULL: nobody has joined who may leave */
    struct weft_waitq joiners;
    uint64_t hash;
    uint32_t refs;
    bool listed, shared;
    bool joined; /* there were joiners; then who listens knows of it */
    int err;
    const char *key;                   /* behind the value */
    alignas(16) unsigned char value[]; /* owned by the call, if err is 0 */
};

struct weft_flight {
    uint32_t guard; /* of all below, and of its calls but for their refs and values */
    uint32_t refs;  /* of its maker and its calls */
    uint32_t count, mask;
    struct call **buckets;
    struct weft__keys keys;
    size_t value_size;
    void (*retain)(void *value), (*release)(void *value);
};

/* ---- life ---- */

struct weft_flight *weft_flight_new(const struct weft_flight_options *o)
{
    if (!o->retain != !o->release || o->value_size > INT32_MAX)
        return NULL;
    struct weft_flight *f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    f->buckets = calloc(BUCKETS_MIN, sizeof(struct call *));
    if (!f->buckets) {
        free(f);
        return NULL;
    }
    f->refs = 1;
    f->mask = BUCKETS_MIN - 1;
    f->keys = (struct weft__keys){0, weft__map_seed()};
    f->value_size = o->value_size;
    f->retain = o->retain;
    f->release = o->release;
    return f;
}

static void release_flight(struct weft_flight *f)
{
    if (__atomic_sub_fetch(&f->refs, 1, __ATOMIC_ACQ_REL) == 0) {
        free(f->buckets);
        free(f);
    }
}

void weft_flight_free(struct weft_flight *f)
{
    if (f)
        release_flight(f);
}

static struct call *new_call(struct weft_flight *f, const struct weft__key *key)
{
    size_t value = (f->value_size + 15) & ~(size_t)15;
    struct call *c = malloc(sizeof *c + value + key->size);
    if (!c)
        return NULL;
    memset(c, 0, sizeof *c + value);
    c->flight = f;
    c->hash = key->hash;
    c->refs = 1;
    c->err = -ECANCELED; /* until its function has returned */
    c->key = memcpy(c->value + value, key->bytes, key->size);
    __atomic_fetch_add(&f->refs, 1, __ATOMIC_RELAXED);
    return c;
}

static void release_call(struct call *c)
{
    if (__atomic_sub_fetch(&c->refs, 1, __ATOMIC_ACQ_REL) != 0)
        return;
    struct weft_flight *f = c->flight;
    if (c->err == 0 && f->release)
        f->release(c->value);
    weft_chan_release(c->done);
    if (c->joined)
        LOITER_CALL(loiter_object_destroyed, (LOITER_OBJ_CHAN, c, 0));
    free(c);
    release_flight(f);
}

/* ---- the table, with the guard held ---- */

static struct call **find(struct weft_flight *f, const struct weft__key *key)
{
    struct call **p = &f->buckets[key->hash & f->mask];
    while (*p && ((*p)->hash != key->hash || strcmp((*p)->key, key->bytes) != 0))
        p = &(*p)->next;
    return p;
}

/* Without memory the chains get longer instead. */
static void grow(struct weft_flight *f)
{
    uint32_t mask = f->mask * 2 + 1;
    struct call **buckets = calloc((size_t)mask + 1, sizeof(struct call *));
    if (!buckets)
        return;
    for (uint32_t i = 0; i <= f->mask; i++) {
        while (f->buckets[i]) {
            struct call *c = f->buckets[i];
            f->buckets[i] = c->next;
            c->next = buckets[c->hash & mask];
            buckets[c->hash & mask] = c;
        }
    }
    free(f->buckets);
    f->buckets = buckets;
    f->mask = mask;
}

static void list(struct weft_flight *f, struct call *c)
{
    if (f->count++ > f->mask)
        grow(f);
    c->next = f->buckets[c->hash & f->mask];
    f->buckets[c->hash & f->mask] = c;
    c->listed = true;
}

static void unlist(struct weft_flight *f, struct call *c)
{
    if (!c->listed)
        return;
    struct call **p = &f->buckets[c->hash & f->mask];
    while (*p != c)
        p = &(*p)->next;
    *p = c->next;
    c->listed = false;
    f->count--;
}

void weft_flight_forget(struct weft_flight *f, const char *key)
{
    struct weft__key k = weft__key_of(&f->keys, key);
    weft__lock(&f->guard);
    struct call *c = *find(f, &k);
    if (c)
        unlist(f, c);
    weft__unlock(&f->guard);
}

/* ---- a call ---- */

/* The call on its way, with the guard held; or a call of its own, listed, with *own set and without
 * the guard. NULL: no memory. */
static struct call *find_or_begin(struct weft_flight *f, const char *key, bool *own)
{
    struct weft__key k = weft__key_of(&f->keys, key);
    struct call *mine = NULL;
    for (;;) {
        weft__lock(&f->guard);
        struct call *c = *find(f, &k);
        *own = !c;
        if (c && !mine)
            return c;
        if (!c && mine)
            list(f, mine);
        weft__unlock(&f->guard);
        if (!c && mine)
            return mine;
        if (mine) {
            release_call(mine); /* another was first */
            mine = NULL;
        } else if (!(mine = new_call(f, &k))) {
            return NULL;
        }
    }
}

static void copy_value(struct call *c, void *value)
{
    if (!value || !c->flight->value_size)
        return;
    memcpy(value, c->value, c->flight->value_size);
    if (c->flight->retain)
        c->flight->retain(value);
}

/* With the guard held, which is given up. What the call gave. */
static int join(struct call *c, void *value, int *shared, const void *caller)
{
    struct weft_task *t = weft__self_or_die();
    struct joiner me = {.waiter = {.task = t, .slot = value}};
    if (!c->joined)
        LOITER_CALL(loiter_object_created, (LOITER_OBJ_CHAN, c, 0, caller));
    c->joined = c->shared = true;
    weft__waitq_push(&c->joiners, &me.waiter);
    weft__will_wait(t, WEFT__WAIT_RECV, c, false, caller);
    weft__park(t, &c->flight->guard);
    if (shared)
        *shared = true;
    return me.err;
}

/* Gives some of those who joined what the call gave, and wakes them; false: that was all. */
static bool answer_some(struct call *c)
{
    struct weft_task *list = NULL, **tail = &list;
    struct weft__waiter *w;
    unsigned n = 0;
    for (; n < WOKEN_AT_ONCE && (w = weft__waitq_pop(&c->joiners)); n++) {
        ((struct joiner *)w)->err = c->err;
        if (c->err == 0)
            copy_value(c, w->slot);
        w->task->next = NULL; /* it is in no queue: the link is free */
        *tail = w->task;
        tail = &w->task->next;
    }
    weft__ready_all(list, c);
    return n == WOKEN_AT_ONCE;
}

/* No later caller finds it; those who joined are told. */
static void end_call(void *arg)
{
    struct call *c = arg;
    weft__lock(&c->flight->guard);
    unlist(c->flight, c);
    struct weft_chan *done = c->done;
    weft__unlock(&c->flight->guard);
    if (done)
        weft__chan_close(done, NULL);
    if (!c->joined)
        return;
    LOITER_CALL(loiter_object_closed, (LOITER_OBJ_CHAN, c, NULL));
    while (answer_some(c)) {
    }
}

/* In a scope, so that it ends for the others as well if the function calls weft_exit. */
static void run_call(struct call *c, int (*fn)(void *, void *), void *arg)
{
    struct weft_deferred ending;
    weft_defer_enter(&ending, end_call, c);
    c->err = fn(arg, c->value);
    weft_defer_leave(&ending);
}

static int result_of(struct call *c, void *value, int *shared)
{
    if (c->err == 0)
        copy_value(c, value);
    if (shared)
        *shared = c->shared;
    return c->err;
}

static void release_deferred(void *arg)
{
    release_call(arg);
}

int weft_flight_do(struct weft_flight *f, const char *key, int (*fn)(void *, void *), void *arg,
                   void *value, int *shared)
{
    bool own;
    struct call *c = find_or_begin(f, key, &own);
    if (!c)
        return -ENOMEM;
    if (!own)
        return join(c, value, shared, WEFT_CALLER());
    struct weft_deferred releasing;
    weft_defer_enter(&releasing, release_deferred, c);
    run_call(c, fn, arg);
    int r = result_of(c, value, shared);
    weft_defer_leave(&releasing);
    return r;
}

/* ---- a call in a task of its own ---- */

struct errand {
    struct call *call;
    int (*fn)(void *arg, void *value);
    alignas(16) unsigned char capture[];
};

static void run_errand(void *arg)
{
    struct errand *e = arg;
    struct weft_deferred releasing;
    weft_defer_enter(&releasing, release_deferred, e->call);
    run_call(e->call, e->fn, e->capture);
    weft_defer_leave(&releasing);
}

/* Starts it for a call that was begun; the task owns a reference to it. */
static int start_errand(struct call *c, int (*fn)(void *, void *), const void *capture, size_t size,
                        const void *caller)
{
    struct errand *e = size > PTRDIFF_MAX - sizeof *e ? NULL : malloc(sizeof *e + size);
    if (!e)
        return -ENOMEM;
    e->call = c;
    e->fn = fn;
    if (size)
        memcpy(e->capture, capture, size);
    __atomic_fetch_add(&c->refs, 1, __ATOMIC_RELAXED);
    struct weft__spawn spawn = {.fn = run_errand,
                                .start = (void (*)(void *))(void (*)(void))fn,
                                .arg = e,
                                .size = sizeof *e + size};
    int r = weft__spawn(&spawn, caller);
    if (r != 0)
        release_call(c);
    free(e);
    return r;
}

int weft_flight_do_ctx(struct weft_flight *f, struct weft_ctx *ctx, const char *key,
                       int (*fn)(void *, void *), const void *capture, size_t size, void *value,
                       int *shared)
{
    const void *caller = WEFT_CALLER();
    bool own;
    int r = weft_ctx_err(ctx);
    if (r != 0)
        return r;
    struct call *c = find_or_begin(f, key, &own);
    if (!c)
        return -ENOMEM;
    if (own)
        weft__lock(&f->guard);
    if (!c->done)
        c->done = weft__chan_new(0, 0, LOITER_OBJ_CHAN, caller);
    bool can_wait = c->done != NULL;
    if (!own && can_wait) {
        c->shared = true;
        __atomic_fetch_add(&c->refs, 1, __ATOMIC_RELAXED);
    }
    weft__unlock(&f->guard);
    if (!own && !can_wait)
        return -ENOMEM;
    if (own) {
        r = can_wait ? start_errand(c, fn, capture, size, caller) : -ENOMEM;
        if (r != 0) {
            c->err = r;
            end_call(c);
        }
    }
    if (r == 0) {
        struct weft_case cases[] = {WEFT_RECV(c->done, NULL), WEFT_RECV(weft_ctx_done(ctx), NULL)};
        r = weft__select(cases, 2, WEFT_FOREVER, caller) == 0 ? result_of(c, value, shared)
                                                              : weft_ctx_err(ctx);
    }
    release_call(c);
    return r;
}
