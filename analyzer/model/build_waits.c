/*
 * build_waits.c - waits that are over, calls that waited with a lock held, and which of the one
 * was for the other.
 *
 * A waiter's event comes after the event of the call that it waited through: the holder returns
 * from its call, lets the lock go, and then the waiter goes on. So it is enough to remember, for
 * each lock, the last few calls that were made with it held.
 */
#include "analyzer/model/build.h"

#include "analyzer/model/memory.h"

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t span(uint64_t began, uint64_t ended)
{
    return ended > began ? ended - began : 0;
}

/* ---- calls with a lock held ---- */

static uint32_t lock_io_index(struct model_builder *b, uint32_t acquired_stack, uint32_t io_stack)
{
    struct model_process *p = b->p;
    uint32_t *slot = table_slot(&b->lock_ios, acquired_stack, io_stack);
    if (*slot == TABLE_NONE) {
        XGROW(p->lock_ios, p->nlock_ios);
        p->lock_ios[p->nlock_ios] = (struct model_lock_io){
            .acquired_stack = acquired_stack, .io_stack = io_stack, .first_ns = UINT64_MAX};
        *slot = (uint32_t)p->nlock_ios++;
    }
    return *slot;
}

static struct build_lock *find_lock(struct model_builder *b, uint64_t lock)
{
    uint32_t i = table_get(&b->locks, lock, 0);
    return i != TABLE_NONE ? &b->build_locks[i] : NULL;
}

static struct build_lock *make_lock(struct model_builder *b, uint64_t lock)
{
    struct build_lock *l = find_lock(b, lock);
    if (l != NULL || b->nbuild_locks >= MODEL_LOCKS_MOST)
        return l;
    XGROW(b->build_locks, b->nbuild_locks);
    *table_slot(&b->locks, lock, 0) = (uint32_t)b->nbuild_locks;
    l = &b->build_locks[b->nbuild_locks++];
    *l = (struct build_lock){.lock = lock};
    return l;
}

void build_lock_io(struct model_builder *b, const struct el_lock_io *e)
{
    uint32_t index = lock_io_index(b, e->acquired_stack, e->io_stack);
    struct model_lock_io *io = &b->p->lock_ios[index];
    uint64_t began = build_ns(b, e->began), ended = build_ns(b, e->ended);
    uint64_t took = span(began, ended);
    if (io->count == 0 || took >= io->max_ns) {
        io->lock = e->lock;
        io->lock_kind = e->lock_kind;
        io->io_kind = e->io_kind;
    }
    io->count++;
    io->total_ns += took;
    io->max_ns = larger(io->max_ns, took);
    io->first_ns = smaller(io->first_ns, began);
    io->last_ns = larger(io->last_ns, ended);

    struct build_lock *l = make_lock(b, e->lock);
    if (l == NULL)
        return;
    uint32_t at = l->next++ % BUILD_CALLS;
    l->calls[at].began_ns = began;
    l->calls[at].ended_ns = ended;
    l->calls[at].lock_io = index;
    l->ncalls = (uint32_t)smaller(l->ncalls + 1, BUILD_CALLS);
}

/* The site's totals are whole; events were written within a budget. */
void build_lock_io_site(struct model_builder *b, const struct model_site *s)
{
    /* The index first: finding it may move the array. */
    uint32_t index = lock_io_index(b, s->stack2, s->stack);
    struct model_lock_io *io = &b->p->lock_ios[index];
    io->count = larger(io->count, s->count);
    io->total_ns = larger(io->total_ns, s->total_ns);
    io->max_ns = larger(io->max_ns, s->max_ns);
    io->first_ns = smaller(io->first_ns, s->first_ns);
    io->last_ns = larger(io->last_ns, s->last_ns);
}

/* Puts a waiter's time to the account of the calls that it waited through. `io_ns` is what the
 * waiter itself saw of the holder's IO. */
static void credit_wait(struct model_builder *b, uint64_t lock, uint64_t began, uint64_t ended,
                        uint64_t io_ns)
{
    struct build_lock *l = find_lock(b, lock);
    if (l == NULL || l->ncalls == 0)
        return;
    uint64_t left = io_ns > 0 ? smaller(io_ns, span(began, ended)) : span(began, ended);
    uint64_t credited = 0;
    for (uint32_t k = 0; k < l->ncalls && left > 0; k++) {
        uint32_t at = (l->next - 1 - k) % BUILD_CALLS;
        uint64_t overlap = smaller(left, span(larger(began, l->calls[at].began_ns),
                                              smaller(ended, l->calls[at].ended_ns)));
        if (overlap == 0)
            continue;
        struct model_lock_io *io = &b->p->lock_ios[l->calls[at].lock_io];
        io->waiters++;
        io->waited_ns += overlap;
        credited += overlap;
        left -= overlap;
    }
    if (credited == 0 && io_ns > 0) {
        /* Calls beyond the budget: the last known one stands for them. */
        struct model_lock_io *io = &b->p->lock_ios[l->calls[(l->next - 1) % BUILD_CALLS].lock_io];
        io->waiters++;
        io->waited_ns += left;
        credited = left;
    }
    l->credited_ns += credited;
}

void build_settle_locks(struct model_builder *b)
{
    struct model_process *p = b->p;
    for (size_t i = 0; i < p->nobjects; i++) {
        const struct model_object *o = &p->objects[i];
        const struct build_lock *l = find_lock(b, o->address);
        if (l == NULL || l->ncalls == 0 || o->wait_io_ns <= l->credited_ns)
            continue;
        struct model_lock_io *io = &p->lock_ios[l->calls[(l->next - 1) % BUILD_CALLS].lock_io];
        io->waited_ns += o->wait_io_ns - l->credited_ns;
        if (io->waiters == 0)
            io->waiters = 1;
    }
    for (size_t i = 0; i < p->nlock_ios; i++)
        if (p->lock_ios[i].first_ns == UINT64_MAX)
            p->lock_ios[i].first_ns = 0;
}

/* ---- waits ---- */

static struct model_wait *wait_of(struct model_builder *b, uint32_t kind, uint32_t stack,
                                  uint64_t object)
{
    struct model_process *p = b->p;
    uint64_t place = (uint64_t)kind << 32 | stack;
    if (table_get(&b->waits, place, object) == TABLE_NONE) {
        uint32_t *objects = table_slot(&b->wait_places, place, 0);
        if (*objects == TABLE_NONE)
            *objects = 0;
        if (*objects >= MODEL_OBJECTS_MOST)
            object = 0;
        else
            ++*objects;
    }
    uint32_t *slot = table_slot(&b->waits, place, object);
    if (*slot == TABLE_NONE) {
        XGROW(p->waits, p->nwaits);
        p->waits[p->nwaits] = (struct model_wait){
            .kind = kind, .stack = stack, .object = object, .first_ns = UINT64_MAX};
        *slot = (uint32_t)p->nwaits++;
    }
    return &p->waits[*slot];
}

void build_wait(struct model_builder *b, const struct el_wait *e)
{
    uint64_t began = build_ns(b, e->began), ended = build_ns(b, e->ended);
    uint64_t took = span(began, ended), io_ns = smaller(build_ns(b, e->io_ticks), took);
    struct model_wait *w = wait_of(b, e->kind, e->stack, e->object);
    w->count++;
    w->total_ns += took;
    w->io_ns += io_ns;
    w->max_ns = larger(w->max_ns, took);
    w->first_ns = smaller(w->first_ns, began);
    w->last_ns = larger(w->last_ns, ended);
    if (el_wait_is_lock(e->kind))
        credit_wait(b, e->object, began, ended, io_ns);
}
