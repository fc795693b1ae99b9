/*
 * Contexts: a tree; cancelling one cancels all below it.
 *
 * One lock keeps all trees: links, errors, and the count of references, so that nobody finds a
 * context through its parent that is just being freed. A parent does not own its children; they own
 * it. A context with a deadline is also owned by its timer while that is armed.
 *
 * To Loiter a context is its done channel: that is what tasks wait for.
 *
 * A context with a value has no state of its own: it is not in the tree, and what is asked of it,
 * or made below it, goes to its `source`, the nearest context above that can be cancelled. For one
 * without cancel that is the background.
 *
 * A function that runs after a cancel is a context without a channel.
 */
#include <errno.h>
#include <stdlib.h>

#include "runtime/chan/chan.h"
#include "runtime/time/timers.h"

struct weft_ctx {
    struct weft__timer timer;
    struct weft_ctx *parent; /* owned; NULL for the background */
    struct weft_ctx *children, *next, **link;
    struct weft_ctx *cancelled_next; /* of those that are cancelled together */
    struct weft_ctx *source;         /* of a value's context, kept alive by `parent`; else NULL */
    const void *key;
    void *value;
    struct weft_chan *done;
    void (*fn)(void *); /* to run when it is cancelled; there is no `done` then */
    void *arg;
    const void *caller;  /* who asked for that; or made the context of a value */
    int64_t deadline_ns; /* INT64_MAX: none */
    uint32_t refs;
    int err, cause;
    int deadline_cause; /* `cause`, should its own deadline pass */
    bool timed;         /* its timer has one of the references */
};

struct weft_ctx_func {
    struct weft_ctx ctx;
};

static uint32_t tree_lock;
static struct weft_ctx background = {.deadline_ns = INT64_MAX, .refs = 1};

struct weft_ctx *weft_ctx_background(void)
{
    return &background;
}

static struct weft_ctx *source_of(struct weft_ctx *ctx)
{
    return ctx->source ? ctx->source : ctx;
}

/* Whoever listens learns who uses it. */
static void used(const struct weft_ctx *source)
{
    if (source->done)
        LOITER_CALL(loiter_object_used, (LOITER_OBJ_CONTEXT, source->done));
}

/* ---- references ---- */

struct weft_ctx *weft_ctx_retain(struct weft_ctx *ctx)
{
    if (ctx && ctx != &background) {
        weft__lock(&tree_lock);
        ctx->refs++;
        weft__unlock(&tree_lock);
    }
    return ctx;
}

static void unlink_locked(struct weft_ctx *ctx)
{
    if (!ctx->link)
        return;
    *ctx->link = ctx->next;
    if (ctx->next)
        ctx->next->link = ctx->link;
    ctx->link = NULL;
}

void weft_ctx_release(struct weft_ctx *ctx)
{
    while (ctx && ctx != &background) {
        weft__lock(&tree_lock);
        bool last = --ctx->refs == 0;
        if (last)
            unlink_locked(ctx);
        else if (ctx->refs == 1 && ctx->timed && !ctx->err)
            LOITER_CALL(loiter_object_dropped, (LOITER_OBJ_CONTEXT, ctx->done, WEFT_CALLER()));
        weft__unlock(&tree_lock);
        if (!last)
            return;
        struct weft_ctx *parent = ctx->parent;
        weft_chan_release(ctx->done);
        free(ctx);
        ctx = parent; /* which it owned */
    }
}

/* ---- cancelling ---- */

/* Marks ctx and all below it as cancelled, takes them out of the tree and returns them as a list,
 * with a reference each. */
static struct weft_ctx *collect_locked(struct weft_ctx *ctx, int err, int cause)
{
    struct weft_ctx *list = ctx, *last = ctx;
    ctx->refs++;
    ctx->cancelled_next = NULL;
    for (struct weft_ctx *at = list; at; at = at->cancelled_next) {
        at->cause = cause;
        __atomic_store_n(&at->err, err, __ATOMIC_RELEASE);
        unlink_locked(at);
        while (at->children) {
            struct weft_ctx *child = at->children;
            unlink_locked(child);
            child->refs++;
            child->cancelled_next = NULL;
            last->cancelled_next = child;
            last = child;
        }
    }
    return list;
}

static void run_function(const struct weft_ctx *ctx)
{
    struct weft__spawn spawn = {.fn = ctx->fn, .start = ctx->fn, .arg = ctx->arg, .pressed = true};
    if (weft__spawn(&spawn, ctx->caller) == -ENOMEM)
        weft__fatal("no memory for the task of a context");
}

static void cancel(struct weft_ctx *ctx, int err, int cause, const void *caller)
{
    weft__lock(&tree_lock);
    if (ctx->err) {
        weft__unlock(&tree_lock);
        return;
    }
    struct weft_ctx *list = collect_locked(ctx, err, cause);
    /* Still under the lock: whoever finds it cancelled already finds it closed as well. */
    for (struct weft_ctx *at = list; at; at = at->cancelled_next) {
        if (at->done)
            weft__chan_close(at->done, caller);
    }
    weft__unlock(&tree_lock);
    while (list) {
        struct weft_ctx *at = list;
        list = at->cancelled_next;
        if (at->fn)
            run_function(at);
        if (weft__timer_cancel(&at->timer))
            weft_ctx_release(at);
        weft_ctx_release(at);
    }
}

static void cancel_by_call(struct weft_ctx *ctx, int cause, const void *caller)
{
    if (ctx && ctx->source)
        weft__fatal_object("cancel of a context that only has a value", ctx, caller, "made",
                           ctx->caller);
    if (ctx && ctx != &background)
        cancel(ctx, -ECANCELED, cause ? cause : -ECANCELED, caller);
}

void weft_ctx_cancel(struct weft_ctx *ctx)
{
    cancel_by_call(ctx, 0, WEFT_CALLER());
}

void weft_ctx_cancel_cause(struct weft_ctx *ctx, int cause)
{
    cancel_by_call(ctx, cause, WEFT_CALLER());
}

/* ---- deadlines ---- */

static void expire(void *arg)
{
    struct weft_ctx *ctx = arg;
    cancel(ctx, -ETIMEDOUT, ctx->deadline_cause, NULL);
    weft_ctx_release(ctx);
}

/* With the timer locked, where nothing may be cancelled: a task does it. */
static void on_deadline(struct weft__timer *timer, int64_t now)
{
    (void)now;
    struct weft__spawn spawn = {.fn = expire, .start = expire, .arg = timer, .pressed = true};
    if (weft__spawn(&spawn, NULL) == -ENOMEM)
        weft__fatal("no memory for the task of a context");
}

static void on_drop(struct weft__timer *timer)
{
    struct weft_ctx *ctx = (struct weft_ctx *)timer;
    ctx->timed = false;
    weft_ctx_release(ctx);
}

/* ---- making ---- */

/* Puts it below the parent, of which it takes a reference; cancels it if that is cancelled. */
static void attach(struct weft_ctx *ctx, struct weft_ctx *parent, const void *caller)
{
    ctx->refs = 1;
    ctx->parent = weft_ctx_retain(parent);
    parent = source_of(parent);
    used(parent);
    if (parent->deadline_ns < ctx->deadline_ns)
        ctx->deadline_ns = parent->deadline_ns;
    weft__timer_init(&ctx->timer, on_deadline);
    ctx->timer.drop = on_drop;
    weft__lock(&tree_lock);
    int err = parent->err, cause = parent->cause;
    if (!err && parent != &background) { /* which nobody cancels */
        ctx->next = parent->children;
        ctx->link = &parent->children;
        if (ctx->next)
            ctx->next->link = &ctx->next;
        parent->children = ctx;
    }
    weft__unlock(&tree_lock);
    if (err)
        cancel(ctx, err, cause, caller);
}

static struct weft_ctx *make(struct weft_ctx *parent, int64_t deadline_ns, const void *caller)
{
    struct weft_ctx *ctx = calloc(1, sizeof *ctx);
    if (!ctx)
        return NULL;
    ctx->done = weft__chan_new(0, 0, LOITER_OBJ_CONTEXT, caller);
    if (!ctx->done) {
        free(ctx);
        return NULL;
    }
    ctx->deadline_ns = deadline_ns;
    attach(ctx, parent ? parent : &background, caller);
    return ctx;
}

static struct weft_ctx *with_deadline(struct weft_ctx *parent, int64_t deadline_ns, int cause,
                                      const void *caller)
{
    struct weft_ctx *ctx = make(parent, deadline_ns, caller);
    if (!ctx || ctx->deadline_ns < deadline_ns)
        return ctx; /* the parent's comes first and cancels it */
    ctx->deadline_cause = cause ? cause : -ETIMEDOUT;
    if (deadline_ns <= weft_now()) {
        cancel(ctx, -ETIMEDOUT, ctx->deadline_cause, caller);
        return ctx;
    }
    weft_ctx_retain(ctx);
    ctx->timed = true;
    bool armed = weft__timer_start(&ctx->timer, deadline_ns);
    /* Who cancelled it meanwhile may have looked for the timer too early. */
    bool dead = __atomic_load_n(&ctx->err, __ATOMIC_ACQUIRE) != 0;
    if (!armed || (dead && weft__timer_cancel(&ctx->timer))) {
        ctx->timed = false;
        weft_ctx_release(ctx);
    }
    if (armed || dead)
        return ctx;
    cancel(ctx, -ECANCELED, -ECANCELED, caller);
    weft_ctx_release(ctx);
    return NULL;
}

struct weft_ctx *weft_ctx_with_cancel(struct weft_ctx *parent)
{
    return make(parent, INT64_MAX, WEFT_CALLER());
}

struct weft_ctx *weft_ctx_with_timeout(struct weft_ctx *parent, int64_t ns)
{
    return with_deadline(parent, weft__after_ns(ns), 0, WEFT_CALLER());
}

struct weft_ctx *weft_ctx_with_deadline(struct weft_ctx *parent, int64_t deadline_ns)
{
    return with_deadline(parent, deadline_ns, 0, WEFT_CALLER());
}

struct weft_ctx *weft_ctx_with_timeout_cause(struct weft_ctx *parent, int64_t ns, int cause)
{
    return with_deadline(parent, weft__after_ns(ns), cause, WEFT_CALLER());
}

struct weft_ctx *weft_ctx_with_deadline_cause(struct weft_ctx *parent, int64_t deadline_ns,
                                              int cause)
{
    return with_deadline(parent, deadline_ns, cause, WEFT_CALLER());
}

/* Not in the tree. */
static struct weft_ctx *make_view(struct weft_ctx *parent, struct weft_ctx *source,
                                  const void *caller)
{
    struct weft_ctx *ctx = calloc(1, sizeof *ctx);
    if (!ctx)
        return NULL;
    ctx->refs = 1;
    ctx->parent = weft_ctx_retain(parent);
    ctx->source = source;
    ctx->caller = caller;
    return ctx;
}

struct weft_ctx *weft_ctx_without_cancel(struct weft_ctx *parent)
{
    return make_view(parent ? parent : &background, &background, WEFT_CALLER());
}

struct weft_ctx *weft_ctx_with_value(struct weft_ctx *parent, const void *key, void *value)
{
    if (!key)
        weft__fatal_object("nil key of a context value", parent, WEFT_CALLER(), NULL, NULL);
    if (!parent)
        parent = &background;
    struct weft_ctx *ctx = make_view(parent, source_of(parent), WEFT_CALLER());
    if (ctx) {
        ctx->key = key;
        ctx->value = value;
    }
    return ctx;
}

/* ---- functions that run after a cancel ---- */

struct weft_ctx_func *weft_ctx_after_func(struct weft_ctx *ctx, void (*fn)(void *arg), void *arg)
{
    struct weft_ctx_func *func = calloc(1, sizeof *func);
    if (!func)
        return NULL;
    func->ctx.fn = fn;
    func->ctx.arg = arg;
    func->ctx.caller = WEFT_CALLER();
    attach(&func->ctx, ctx ? ctx : &background, WEFT_CALLER());
    return func;
}

int weft_ctx_func_stop(struct weft_ctx_func *func)
{
    weft__lock(&tree_lock);
    bool stopped = func->ctx.err == 0;
    unlink_locked(&func->ctx);
    weft__unlock(&tree_lock);
    weft_ctx_release(&func->ctx);
    return stopped;
}

/* ---- asking ---- */

void *weft_ctx_value(struct weft_ctx *ctx, const void *key)
{
    for (; ctx && key; ctx = ctx->parent) {
        if (ctx->key == key)
            return ctx->value;
    }
    return NULL;
}

struct weft_chan *weft_ctx_done(struct weft_ctx *ctx)
{
    if (!ctx)
        return NULL;
    ctx = source_of(ctx);
    used(ctx);
    return ctx->done;
}

int weft_ctx_err(struct weft_ctx *ctx)
{
    if (!ctx)
        return 0;
    ctx = source_of(ctx);
    used(ctx);
    return __atomic_load_n(&ctx->err, __ATOMIC_ACQUIRE);
}

int weft_ctx_cause(struct weft_ctx *ctx)
{
    return weft_ctx_err(ctx) ? source_of(ctx)->cause : 0;
}

int weft_ctx_deadline(struct weft_ctx *ctx, int64_t *deadline_ns)
{
    if (!ctx)
        return 0;
    ctx = source_of(ctx);
    if (ctx->deadline_ns == INT64_MAX)
        return 0;
    *deadline_ns = ctx->deadline_ns;
    return 1;
}
