/*
 * wait_nest.c - which waits of a thread are still under way.
 *
 * A wait may begin within another: a signal handler's call, a plugin of the resolver. It may also
 * be left without an end: siglongjmp, an exception, a cancelled call. The two look alike by their
 * addresses, so the stack is asked: a wait goes on as long as a frame of this library encloses it
 * and returns to where the wait was called from. What lies at the address of a wait that was left
 * is not read.
 */
#include "preload/core/modules.h"
#include "preload/core/object.h"
#include "preload/core/unwind.h"
#include "preload/core/wait.h"

#define WALK_MAX 64

/* In a test the core is part of the program: then it is enough where the frame returns to. */
static int is_own(uintptr_t pc)
{
    return pl_modules_own(pc) || !pl_modules_own((uintptr_t)(void *)pl_waits_left);
}

static int goes_on(const struct pl_wait_mark *mark, const struct pl_walk *walk, uintptr_t sp)
{
    uintptr_t at = (uintptr_t)mark->wait;
    unsigned i = 1;
    while (i < walk->n && walk->slots[i] <= at)
        i++;
    uintptr_t low = i == 1 ? sp : walk->slots[i - 1];
    if (i >= walk->n || at < low || !is_own(walk->pcs[i - 1]))
        return 0;
    for (; i < walk->n; i++) {
        if (walk->pcs[i] == mark->pc)
            return 1;
        if (!pl_modules_own(walk->pcs[i]))
            return 0;
    }
    return 0;
}

/* The innermost was left: whom it waited for has one less that waits. */
static void drop(struct pl_self *self)
{
    struct pl_object *record = self->waits[--self->wait_count].record;
    if (record != NULL)
        pl_object_wait_ends(record, 0, 0);
}

void pl_waits_left(struct pl_self *self, const struct pl_call *call)
{
    uintptr_t pcs[WALK_MAX], slots[WALK_MAX];
    struct pl_walk walk = {.hi = self->stack_hi, .max = WALK_MAX, .pcs = pcs, .slots = slots};
    pl_unwind(&walk, *call);
    while (self->wait_count != 0 && !goes_on(&self->waits[self->wait_count - 1], &walk, call->sp))
        drop(self);
}

void pl_waits_drop(struct pl_self *self, uint32_t level)
{
    while (self->wait_count > level)
        drop(self);
}
