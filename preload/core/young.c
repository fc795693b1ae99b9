/*
 * young.c - see young.h. Records come in batches that stay, so that all of them can be found: the
 * first of a batch is its link to the others.
 */
#include "preload/core/young.h"

#include <string.h>

#include "preload/core/record.h"

#define BATCH 64

struct batch {
    struct batch *before;
    char pad[sizeof(struct pl_young) - sizeof(struct batch *)];
    struct pl_young young[BATCH - 1];
};

ptrdiff_t pl_young_stack_offset;
static struct pl_pool chains = {.bytes = sizeof(struct pl_young)};
static _Atomic(struct batch *) latest;

/* In a chain that no thread has, the first one's link is that of the chains. */
static void chain_give(struct pl_young *first)
{
    first->creator = atomic_load_explicit(&first->link.next, memory_order_relaxed);
    pl_pool_put(&chains, first);
}

static struct pl_young *chain_get(void)
{
    struct pl_young *first = pl_pool_again(&chains);
    if (first != NULL)
        atomic_store_explicit(&first->link.next, (uintptr_t)first->creator, memory_order_relaxed);
    return first;
}

void pl_young_chain(struct pl_thread *thread)
{
    if (thread->full_young != NULL)
        chain_give(thread->full_young);
    thread->full_young = thread->free_young;
    thread->free_young = NULL;
    thread->free_young_count = 0;
}

void pl_young_stock(struct pl_thread *thread)
{
    struct pl_young *chain = thread->full_young != NULL ? thread->full_young : chain_get();
    if (chain != NULL) {
        thread->full_young = NULL;
        thread->free_young = chain;
        thread->free_young_count = PL_YOUNG_CHAIN;
        return;
    }
    struct batch *batch = pl_arena_alloc(sizeof(*batch));
    if (batch == NULL)
        return;
    for (unsigned i = BATCH - 1; i-- > 0;)
        pl_young_put(thread, &batch->young[i]);
    batch->before = atomic_load(&latest);
    while (!atomic_compare_exchange_weak(&latest, &batch->before, batch))
        ;
}

static void cell_fill(struct el_actor *cell, const struct pl_young *y)
{
    const struct pl_site *site = y->site;
    cell->actor = y->id;
    cell->creator = y->creator;
    cell->created_at = y->created_at;
    cell->created_stack = site->cell->stack;
    cell->start = site->start;
    cell->stack_bytes = y->kin.stack_bytes;
    cell->capture_bytes = site->capture_bytes;
    cell->run = y->kin.run;
}

struct pl_actor *pl_young_grow(struct pl_self *self, struct loiter_task *t)
{
    struct pl_young *y = pl_young_of(t);
    struct pl_actor *task = y == NULL ? NULL : pl_task_take(self->thread, y->id);
    t->tool = task;
    if (task == NULL)
        return NULL; /* its record stays what it is: nobody has it */
    pl_young_hide(y->id);
    cell_fill(task->cell, y);
    task->creator = y->creator;
    task->site = y->site;
    task->origin = y->site;
    task->line[0] = (struct pl_line){y->site, y->kin.generation};
    task->line[1] = (struct pl_line){y->kin.older, y->kin.older_generation};
    task->made_in = y->kin.made_in;
    uintptr_t lo = pl_young_stack_lo(t);
    if (lo != 0) {
        task->stack_lo = lo;
        task->stack_hi = lo + y->kin.stack_bytes;
    }
    el_set_state(&task->cell->state, EL_ACTOR_NEW);
    pl_young_put(self->thread, y);
    return task;
}

/* ---- those that compute for long ---- */

#define SHOWN_MOST 64
#define TAKEN      1 /* no task has that number */

static struct shown {
    _Atomic uint64_t id; /* 0: free */
    struct el_actor *cell;
} shown[SHOWN_MOST];
_Atomic uint32_t pl_young_shown;

static struct shown *entry_take(uint64_t id)
{
    for (unsigned i = 0; i < SHOWN_MOST; i++) {
        uint64_t expected = id;
        if (atomic_compare_exchange_strong(&shown[i].id, &expected, TAKEN))
            return &shown[i];
    }
    return NULL;
}

static struct el_actor *cell_make(const struct pl_young *y, enum el_actor_state state)
{
    struct el_actor *cell = el_alloc_actor(&pl_log);
    if (cell != NULL) {
        memset((char *)cell + sizeof(cell->state), 0, sizeof(*cell) - sizeof(cell->state));
        cell_fill(cell, y);
        el_set_state(&cell->state, state);
    }
    return cell;
}

/* Read by a thread that does not run the task: it is looked at again once the entry can be seen. */
void pl_young_show_one(const struct loiter_task *t)
{
    const struct pl_young *y = pl_young_of(t);
    if (y == NULL)
        return;
    const struct pl_young as = *y;
    if (as.id == 0 || pl_young_of(t) != y || y->id != as.id)
        return;
    struct shown *entry = entry_take(0);
    if (entry == NULL)
        return;
    entry->cell = cell_make(&as, EL_ACTOR_NEW);
    atomic_fetch_add(&pl_young_shown, 1);
    atomic_store(&entry->id, as.id);
    if (pl_young_of(t) != y || y->id != as.id)
        pl_young_hide_one(as.id);
}

void pl_young_hide_one(uint64_t id)
{
    struct shown *entry = entry_take(id);
    if (entry == NULL)
        return;
    if (entry->cell != NULL) {
        el_set_state(&entry->cell->state, EL_ACTOR_FREE);
        el_free_actor(&pl_log, entry->cell);
    }
    atomic_store(&entry->id, 0);
    atomic_fetch_sub(&pl_young_shown, 1);
}

/* ---- all ---- */

static int show(struct pl_young *y, uint32_t run, enum el_actor_state state)
{
    if (y->id == 0 || y->kin.epoch != pl_epoch || (run != 0 && y->kin.run != run))
        return 0;
    pl_young_hide(y->id);
    cell_make(y, state);
    if (run != 0)
        y->kin.epoch = 0;
    return 1;
}

uint32_t pl_young_show(uint32_t run, enum el_actor_state state)
{
    uint32_t n = 0;
    for (struct batch *b = atomic_load(&latest); b != NULL; b = b->before)
        for (unsigned i = 0; i < BATCH - 1; i++)
            n += (uint32_t)show(&b->young[i], run, state);
    return n;
}

void pl_young_reset(void)
{
    atomic_store(&chains.head, 0);
    atomic_store(&latest, NULL);
    pl_young_stack_offset = 0;
    memset(shown, 0, sizeof(shown));
    atomic_store(&pl_young_shown, 0);
}
