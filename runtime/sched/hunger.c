/*
 * Tasks that were to run for the first time when no memory was to be had for a stack. They wait
 * until another task has ended and left its own, and meanwhile no task is made: weft_go says
 * -ENOMEM. Only where all that have a stack wait, for ever, the program stops (deadlock.c).
 *
 * Once memory was short, workers keep no stacks in their caches when they look for work: who
 * starves a task looks into the shared pool after that, and who leaves a stack there looks for a
 * starved task after that, both under the pool's lock; so one of them finds the other.
 */
#include "runtime/sched/inside.h"

bool weft__stacks_short;

void weft__starve(struct weft__run *run, struct weft_task *t)
{
    __atomic_store_n(&weft__stacks_short, true, __ATOMIC_SEQ_CST);
    weft__lock(&run->queue_lock);
    t->next = NULL;
    if (run->starved_head)
        run->starved_tail->next = t;
    else
        run->starved_head = t;
    run->starved_tail = t;
    __atomic_store_n(&run->starved, run->starved + 1, __ATOMIC_SEQ_CST);
    weft__unlock(&run->queue_lock);
}

/* Whether there is a first one, and of which class. */
static bool look(struct weft__run *run, bool *small)
{
    weft__lock(&run->queue_lock);
    const struct weft_task *t = run->starved_head;
    if (t)
        *small = t->small;
    weft__unlock(&run->queue_lock);
    return t;
}

static struct weft_task *take(struct weft__run *run, bool small)
{
    weft__lock(&run->queue_lock);
    struct weft_task *t = run->starved_head;
    if (t && t->small == small) {
        run->starved_head = t->next;
        __atomic_store_n(&run->starved, run->starved - 1, __ATOMIC_SEQ_CST);
    } else {
        t = NULL;
    }
    weft__unlock(&run->queue_lock);
    return t;
}

struct weft_task *weft__feed(struct weft__worker *w)
{
    for (;;) {
        bool small;
        weft__stack_drop_cache(w);
        if (!look(w->run, &small))
            return NULL;
        /* It stays in the list until there is a stack, so that others see it meanwhile. */
        char *stack = weft__stack_get(w, small);
        if (!stack)
            return NULL;
        weft__stack_put(w, stack, small);
        struct weft_task *t = take(w->run, small);
        if (t)
            return t;
    }
}
