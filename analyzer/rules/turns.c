/* turns.c - see turns.h. */
#include "analyzer/rules/turns.h"

bool turns_of_one_lock(const struct model_lock_io *a, const struct model_lock_io *b)
{
    return a->acquired_stack == b->acquired_stack || (a->lock != 0 && a->lock == b->lock);
}

/* Do both return to one place of the program? */
static bool is_one_place(const struct model_process *p, uint32_t a, uint32_t b)
{
    const struct model_stack *x = model_find_stack(p, a), *y = model_find_stack(p, b);
    return a == b ||
           (x != NULL && y != NULL && x->depth > 0 && y->depth > 0 && x->frames[0] == y->frames[0]);
}

/* Whoever waited for the lock was about to take it at that place. */
static bool is_waited_for_there(const struct model_process *p, uint64_t lock, uint32_t place)
{
    for (size_t i = 0; i < p->nwaits; i++)
        if (el_wait_is_lock(p->waits[i].kind) && p->waits[i].object == lock &&
            !is_one_place(p, p->waits[i].stack, place))
            return false;
    return true;
}

static bool waits_for_connection(enum el_wait_kind kind)
{
    return kind == EL_WAIT_ACCEPT || kind == EL_WAIT_POLL;
}

/* What is done with it held once in so many connections is no part of the turn: one that ends while
 * it has the lock, a log that is opened anew. */
enum { SELDOM = 50 };

bool turns_is(const struct model_process *p, const struct model_lock_io *io)
{
    uint64_t accepts = 0, others = 0;
    if (!waits_for_connection(io->io_kind))
        return false;
    for (size_t i = 0; i < p->nlock_ios; i++) {
        const struct model_lock_io *other = &p->lock_ios[i];
        if (!turns_of_one_lock(other, io))
            continue;
        accepts += other->io_kind == EL_WAIT_ACCEPT ? other->count : 0;
        others += waits_for_connection(other->io_kind) ? 0 : other->count;
        if (!is_waited_for_there(p, other->lock, io->acquired_stack))
            return false;
    }
    return accepts > 0 && others <= accepts / SELDOM;
}

bool turns_lock(const struct model_process *p, uint64_t lock)
{
    for (size_t i = 0; i < p->nlock_ios; i++)
        if (p->lock_ios[i].lock == lock && turns_is(p, &p->lock_ios[i]))
            return true;
    return false;
}
