/*
 * What is done at the end of a scope, and at the end of a task that ends early.
 *
 * Each open scope of a task is a link of a list whose head is the task's; the link lies in the
 * scope's own variable. So leaving a scope costs no more than to take it from the list, and
 * weft_exit finds what is left to be done. Where the head of the running task lies is a word of the
 * thread, set by its first scope and cleared at a switch: little lies between a lock and its unlock
 * then (weft_inline.h), and little is added to a switch.
 */
#include <errno.h>
#include <stdlib.h>

#include "runtime/sched/inside.h"

enum {
    ENTRIES_HERE = sizeof((struct weft_defers *)0)->first / sizeof(struct weft_defer_entry),
    ENTRIES_BLOCK = 63
};

/* Of a scope that holds many. */
struct block {
    struct block *below;
    struct weft_defer_entry entries[ENTRIES_BLOCK];
};

static void link_into(struct weft_deferred *d, struct weft_deferred **list)
{
    d->list = list;
    d->below = *list;
    *list = d;
}

/* The first since the task runs here, or outside a worker's task. */
static __attribute__((noinline)) void link_first(struct weft_deferred *d)
{
    struct weft_task *t = weft__self();
    struct weft_deferred **list = t ? weft__deferred_of(t) : NULL;
    if (weft__worker())
        weft__scopes = list;
    if (list)
        link_into(d, list);
    else
        d->list = NULL;
}

void weft__defer_link(struct weft_deferred *d)
{
    struct weft_deferred **scopes = WEFT_ARCH_THREAD_LOCAL(weft__scopes);
    if (__builtin_expect(scopes == NULL, 0))
        link_first(d);
    else
        link_into(d, scopes);
}

static void unlink_scope(struct weft_deferred *d)
{
    if (d->list)
        *d->list = d->below;
}

/* ---- one function ---- */

void weft_defer_enter(struct weft_deferred *d, void (*fn)(void *), void *arg)
{
    d->fn = fn;
    d->arg = arg;
    weft__defer_link(d);
}

void weft_defer_leave(struct weft_deferred *d)
{
    unlink_scope(d);
    d->fn(d->arg);
}

/* ---- any number ---- */

void weft_defers_enter(struct weft_defers *scope)
{
    scope->link.fn = NULL;
    scope->link.arg = scope;
    scope->count = 0;
    scope->more = NULL;
    weft__defer_link(&scope->link);
}

int weft_defer(struct weft_defers *scope, void (*fn)(void *), void *arg)
{
    struct weft_defer_entry entry = {fn, arg};
    if (scope->count < ENTRIES_HERE) {
        scope->first[scope->count++] = entry;
        return 0;
    }
    size_t at = (scope->count - ENTRIES_HERE) % ENTRIES_BLOCK;
    struct block *b = scope->more;
    if (at == 0) {
        b = malloc(sizeof *b);
        if (!b)
            return -ENOMEM;
        b->below = scope->more;
        scope->more = b;
    }
    b->entries[at] = entry;
    scope->count++;
    return 0;
}

static struct weft_defer_entry pop(struct weft_defers *scope)
{
    scope->count--;
    if (scope->count < ENTRIES_HERE)
        return scope->first[scope->count];
    size_t at = (scope->count - ENTRIES_HERE) % ENTRIES_BLOCK;
    struct block *b = scope->more;
    struct weft_defer_entry entry = b->entries[at];
    if (at == 0) {
        scope->more = b->below;
        free(b);
    }
    return entry;
}

/* The scope stays in the list until it is empty: one of its functions may call weft_exit. */
void weft_defers_leave(struct weft_defers *scope)
{
    while (scope->count > 0) {
        struct weft_defer_entry entry = pop(scope);
        entry.fn(entry.arg);
    }
    unlink_scope(&scope->link);
}

/* ---- the end of a task ---- */

_Noreturn void weft_exit(void)
{
    struct weft_task *t = weft__self();
    if (!t)
        weft__fatal_object("weft_exit outside a task", NULL, WEFT_CALLER(), NULL, NULL);
    struct weft_deferred **list = weft__deferred_of(t);
    while (list && *list) {
        struct weft_deferred *d = *list;
        if (d->fn)
            weft_defer_leave(d);
        else
            weft_defers_leave(d->arg);
    }
    weft__task_end();
}
