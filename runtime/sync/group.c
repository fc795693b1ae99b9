/*
 * The group: tasks that are waited for together, with a limit and the first error. All under its
 * guard.
 *
 * Who ends a task hands its place at the limit to the first who waits for one, so places go first
 * come, first served. The guard is the last that a task touches of the group: who then finds it
 * free and nobody running may free the group.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/sync/announce.h"

enum { HERE_MAX = 256 };

struct member {
    struct weft_group *group;
    int (*fn)(void *arg);
    void *arg; /* of weft_group_go */
    bool copied;
    alignas(16) unsigned char capture[];
};

/* ---- places ---- */

static bool full(const struct weft_group *g)
{
    return g->limit != 0 && g->running >= g->limit - 1;
}

/* Under the guard. */
static bool enter_at_once(struct weft_group *g, const void *caller)
{
    if (full(g) || g->for_place.head)
        return false;
    g->running++;
    g->entered_at = caller;
    if (g->err != 0)
        LOITER_CALL(loiter_group_changed, (g, (unsigned)g->running, true));
    return true;
}

/* Takes a place, waiting for it: 0, or -EBUSY where it may not wait. */
static int enter(struct weft_group *g, bool wait, const void *caller)
{
    weft__lock(&g->guard);
    bool entered = enter_at_once(g, caller);
    weft__unlock(&g->guard);
    if (entered || !wait)
        return entered ? 0 : -EBUSY;
    struct weft_task *t = weft__self_or_die();
    struct weft__waiter w = {.task = t};
    weft__lock(&g->guard);
    if (enter_at_once(g, caller)) {
        weft__unlock(&g->guard);
        return 0;
    }
    g->entered_at = caller; /* as soon as there is a place */
    weft__waitq_push(&g->for_place, &w);
    weft__will_wait(t, WEFT__WAIT_GROUP, g, false, caller);
    weft__park(t, &g->guard); /* whoever wakes it leaves it the place */
    return 0;
}

static void leave(struct weft_group *g)
{
    struct weft_task *list = NULL, **tail = &list;
    weft__lock(&g->guard);
    struct weft__waiter *w = weft__waitq_pop(&g->for_place);
    bool handed_on = w != NULL;
    if (w) {
        w->task->next = NULL;
        list = w->task;
    } else if (--g->running == 0) {
        while ((w = weft__waitq_pop(&g->for_end))) {
            w->task->next = NULL;
            *tail = w->task;
            tail = &w->task->next;
        }
    }
    if (g->err != 0)
        LOITER_CALL(loiter_group_changed, (g, (unsigned)g->running, handed_on));
    weft__unlock(&g->guard);
    weft__ready_all(list, g);
}

/* ---- members ---- */

static void fail(struct weft_group *g, int err)
{
    weft__lock(&g->guard);
    bool first = g->err == 0;
    if (first) {
        g->err = err;
        LOITER_CALL(loiter_group_failed, (g, (unsigned)g->running, err, g->ctx != NULL));
    }
    struct weft_ctx *ctx = first ? g->ctx : NULL; /* it stays until nobody runs */
    weft__unlock(&g->guard);
    if (ctx)
        weft_ctx_cancel_cause(ctx, err);
}

static void leave_by_exit(void *arg)
{
    leave(arg);
}

static void run_member(void *arg)
{
    struct member *m = arg;
    struct weft_group *g = m->group;
    struct weft_deferred left;
    weft_defer_enter(&left, leave_by_exit, g);
    int err = m->fn(m->copied ? m->capture : m->arg);
    if (err != 0)
        fail(g, err);
    weft_defer_leave(&left);
}

static int start(struct member *m, size_t size, bool wait, const void *caller)
{
    struct weft_group *g = m->group;
    int r = enter(g, wait, caller);
    if (r != 0)
        return r;
    struct weft__spawn spawn = {.fn = run_member,
                                .start = (void (*)(void *))(void (*)(void))m->fn,
                                .arg = m,
                                .size = sizeof *m + size};
    r = weft__spawn(&spawn, caller);
    if (r != 0)
        leave(g);
    return r;
}

int weft_group_go(struct weft_group *g, int (*fn)(void *), void *arg)
{
    struct member m = {.group = g, .fn = fn, .arg = arg};
    return start(&m, 0, true, WEFT_CALLER());
}

int weft_group_try_go(struct weft_group *g, int (*fn)(void *), void *arg)
{
    struct member m = {.group = g, .fn = fn, .arg = arg};
    return start(&m, 0, false, WEFT_CALLER());
}

int weft_group_go_copy(struct weft_group *g, int (*fn)(void *), const void *capture, size_t size)
{
    alignas(16) unsigned char here[sizeof(struct member) + HERE_MAX];
    const void *caller = WEFT_CALLER();
    struct member *m = (struct member *)(void *)here;
    if (size > PTRDIFF_MAX - sizeof *m || (size > HERE_MAX && !(m = malloc(sizeof *m + size))))
        return -ENOMEM;
    *m = (struct member){.group = g, .fn = fn, .copied = true};
    if (size)
        memcpy(m->capture, capture, size);
    int r = start(m, size, true, caller);
    if ((void *)m != here)
        free(m);
    return r;
}

/* ---- the whole ---- */

struct weft_ctx *weft_group_with_ctx(struct weft_group *g, struct weft_ctx *parent)
{
    if (g->ctx)
        weft__fatal_object("a group gets a second context", g, WEFT_CALLER(), "its first",
                           g->ctx_at);
    g->ctx = weft_ctx_with_cancel(parent);
    g->ctx_at = WEFT_CALLER();
    return weft_ctx_retain(g->ctx);
}

void weft_group_set_limit(struct weft_group *g, int64_t limit)
{
    weft__lock(&g->guard);
    bool busy = g->running != 0;
    g->limit = limit < 0 ? 0 : (uint64_t)limit + 1;
    const void *entered_at = g->entered_at;
    weft__unlock(&g->guard);
    if (busy)
        weft__fatal_object("the limit of a group is changed while its tasks run", g, WEFT_CALLER(),
                           "the last one started", entered_at);
}

int weft_group_wait(struct weft_group *g)
{
    struct weft_task *t = weft__self_or_die();
    struct weft__waiter w = {.task = t};
    weft__lock(&g->guard);
    if (g->running != 0) {
        weft__waitq_push(&g->for_end, &w);
        weft__will_wait(t, WEFT__WAIT_GROUP, g, false, WEFT_CALLER());
        weft__park(t, &g->guard);
        weft__lock(&g->guard);
    }
    int err = g->err;
    if (err != 0)
        LOITER_CALL(loiter_group_waited, (g));
    struct weft_ctx *ctx = g->ctx;
    g->ctx = NULL;
    weft__unlock(&g->guard);
    if (ctx) {
        weft_ctx_cancel(ctx);
        weft_ctx_release(ctx);
    }
    return err;
}
