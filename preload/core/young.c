/*
 * young.c - see young.h. Broods come in batches that stay, so that all of them can be found: the
 * first of a batch is its link to the others.
 */
#include "preload/core/young.h"

#include <string.h>

#include "preload/core/record.h"
#include "preload/core/spawner.h"

#define BATCH 64

struct batch {
    struct batch *before;
    char pad[sizeof(struct pl_brood) - sizeof(struct batch *)];
    struct pl_brood brood[BATCH - 1];
};

ptrdiff_t pl_young_stack_offset;
loiter_task_each *pl_young_each;
static struct pl_pool chains = {.bytes = sizeof(struct pl_brood)};
static _Atomic(struct batch *) latest;

/* ---- broods ---- */

static struct pl_brood *next_of(const struct pl_brood *b)
{
    return (struct pl_brood *)atomic_load_explicit(&b->link.next, memory_order_relaxed);
}

static void link_to(struct pl_brood *b, const struct pl_brood *next)
{
    atomic_store_explicit(&b->link.next, (uintptr_t)next, memory_order_relaxed);
}

/* In a chain that no thread has, the first one's link is that of the chains. */
static void chain_give(struct pl_brood *first)
{
    first->creator = (uintptr_t)next_of(first);
    pl_pool_put(&chains, first);
}

static struct pl_brood *chain_get(void)
{
    struct pl_brood *first = pl_pool_again(&chains);
    if (first != NULL)
        link_to(first, (const struct pl_brood *)(uintptr_t)first->creator); /* NOLINT */
    return first;
}

void pl_brood_free(struct pl_thread *thread, struct pl_brood *b)
{
    if (thread->free_brood_count == PL_BROOD_CHAIN) {
        if (thread->full_broods != NULL)
            chain_give(thread->full_broods);
        thread->full_broods = thread->free_broods;
        thread->free_broods = NULL;
        thread->free_brood_count = 0;
    }
    b->kin.epoch = 0;
    b->token = 0;
    link_to(b, thread->free_broods);
    thread->free_broods = b;
    thread->free_brood_count++;
}

static void stock(struct pl_thread *thread)
{
    struct pl_brood *chain = thread->full_broods != NULL ? thread->full_broods : chain_get();
    if (chain != NULL) {
        thread->full_broods = NULL;
        thread->free_broods = chain;
        thread->free_brood_count = PL_BROOD_CHAIN;
        return;
    }
    struct batch *batch = pl_arena_alloc(sizeof(*batch));
    if (batch == NULL)
        return;
    for (unsigned i = BATCH - 1; i-- > 0;)
        pl_brood_free(thread, &batch->brood[i]);
    batch->before = atomic_load(&latest);
    while (!atomic_compare_exchange_weak(&latest, &batch->before, batch))
        ;
}

struct pl_brood *pl_brood_take(struct pl_thread *thread)
{
    if (thread->free_broods == NULL)
        stock(thread);
    struct pl_brood *b = thread->free_broods;
    if (b == NULL)
        return NULL;
    thread->free_broods = next_of(b);
    thread->free_brood_count--;
    b->maker = thread;
    b->own = 0;
    b->closed = 0;
    atomic_store_explicit(&b->elsewhere, 0, memory_order_relaxed);
    return b;
}

void pl_brood_close(struct pl_thread *thread, struct pl_brood *b)
{
    const int32_t own = b->own;
    if (own == 0 && pl_brood_is_over(b)) {
        pl_brood_free(thread, b);
        return;
    }
    b->closed = 1;
    if (atomic_fetch_sub_explicit(&b->elsewhere, own, memory_order_acq_rel) == own)
        pl_brood_free(thread, b);
}

/* ---- a task grows up ---- */

static void cell_fill(struct el_actor *cell, uint64_t id, const struct pl_brood *b)
{
    const struct pl_site *site = b->site;
    cell->actor = id;
    cell->creator = b->creator;
    cell->created_at = b->created_at;
    cell->created_stack = site->cell->stack;
    cell->start = site->start;
    cell->stack_bytes = b->kin.stack_bytes;
    cell->capture_bytes = site->capture_bytes;
    cell->run = b->kin.run;
}

struct pl_actor *pl_young_grow(struct pl_self *self, struct loiter_task *t)
{
    struct pl_brood *b = pl_brood_of(t);
    const uint64_t id = EL_ACTOR_TASK | t->id;
    struct pl_actor *task = b == NULL ? NULL : pl_task_take(self->thread, id);
    t->tool = task;
    if (task == NULL)
        return NULL; /* its brood stays what it is: nobody ends it */
    if (b == self->thread->spawner.brood)
        pl_spawner_settle(self);
    pl_young_hide(id);
    cell_fill(task->cell, id, b);
    task->creator = b->creator;
    task->brood = b->token;
    task->site = b->site;
    task->origin = b->site;
    task->line[0] = (struct pl_line){b->site, b->kin.generation};
    task->line[1] = (struct pl_line){b->kin.older, b->kin.older_generation};
    task->made_in = b->kin.made_in;
    uintptr_t lo = pl_young_stack_lo(t);
    if (lo != 0) {
        task->stack_lo = lo;
        task->stack_hi = lo + b->kin.stack_bytes;
    }
    el_set_state(&task->cell->state, EL_ACTOR_NEW);
    pl_brood_leave(self->thread, b, 1);
    return task;
}

/* ---- what others see of a task that is young ---- */

/* By a thread that does not run the task, which may end meanwhile. 1: it was young all the time. */
static int look(const struct loiter_task *t, uint64_t *id, struct pl_brood *as)
{
    const uintptr_t word = (uintptr_t)__atomic_load_n(&t->tool, __ATOMIC_ACQUIRE);
    const uint64_t number = __atomic_load_n(&t->id, __ATOMIC_RELAXED);
    if ((word & PL_YOUNG) == 0)
        return 0;
    memcpy(as, pl_brood_at(word), sizeof(*as));
    *id = EL_ACTOR_TASK | number;
    atomic_thread_fence(memory_order_acquire);
    return as->kin.epoch == pl_epoch && (uintptr_t)t->tool == word && t->id == number;
}

static struct el_actor *cell_make(uint64_t id, const struct pl_brood *b, enum el_actor_state state)
{
    struct el_actor *cell = el_alloc_actor(&pl_log);
    if (cell != NULL) {
        memset((char *)cell + sizeof(cell->state), 0, sizeof(*cell) - sizeof(cell->state));
        cell_fill(cell, id, b);
        el_set_state(&cell->state, state);
    }
    return cell;
}

/* ---- those that compute for long ---- */

#define SHOWN_MOST 64
#define TAKEN      1 /* no task has that number */

static struct shown {
    _Atomic uint64_t id; /* 0: free */
    const struct loiter_task *task;
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

void pl_young_show_one(const struct loiter_task *t)
{
    struct pl_brood as;
    uint64_t id, now;
    struct shown *entry = look(t, &id, &as) ? entry_take(0) : NULL;
    if (entry == NULL)
        return;
    entry->task = t;
    entry->cell = cell_make(id, &as, EL_ACTOR_NEW);
    atomic_fetch_add(&pl_young_shown, 1);
    atomic_store(&entry->id, id);
    pl_enders_withdraw();
    if (!look(t, &now, &as) || now != id)
        pl_young_hide_one(id);
}

static void entry_drop(struct shown *entry)
{
    if (entry->cell != NULL) {
        el_set_state(&entry->cell->state, EL_ACTOR_FREE);
        el_free_actor(&pl_log, entry->cell);
    }
    atomic_store(&entry->id, 0);
    atomic_fetch_sub(&pl_young_shown, 1);
}

void pl_young_hide_one(uint64_t id)
{
    struct shown *entry = entry_take(id);
    if (entry != NULL)
        entry_drop(entry);
}

/*
 * A task that ends looks whether any is shown after it has changed its `tool`, and who shows one
 * looks at the `tool` again afterwards; before, he sees to it that none ends unannounced. That the
 * first is no locked instruction lets each of them miss the other; a tick later the change is seen.
 */
void pl_young_tick(void)
{
    if (!pl_young_any_shown())
        return;
    for (unsigned i = 0; i < SHOWN_MOST; i++) {
        uint64_t id = atomic_load(&shown[i].id), now;
        struct pl_brood as;
        if (id == 0 || id == TAKEN || !atomic_compare_exchange_strong(&shown[i].id, &id, TAKEN))
            continue;
        if (look(shown[i].task, &now, &as) && now == id)
            atomic_store(&shown[i].id, id);
        else
            entry_drop(&shown[i]);
    }
}

/* ---- all ---- */

struct showing {
    uint32_t run;
    enum el_actor_state state;
    uint32_t n;
};

static void show(const struct loiter_task *t, void *ctx)
{
    struct showing *s = ctx;
    struct pl_brood as;
    uint64_t id;
    if (!look(t, &id, &as) || (s->run != 0 && as.kin.run != s->run))
        return;
    pl_young_hide(id);
    cell_make(id, &as, s->state);
    s->n++;
}

static void abandon(uint32_t run)
{
    for (struct batch *batch = atomic_load(&latest); batch != NULL; batch = batch->before)
        for (unsigned i = 0; i < BATCH - 1; i++)
            if (batch->brood[i].kin.run == run) {
                batch->brood[i].kin.epoch = 0;
                batch->brood[i].token = 0;
            }
}

uint32_t pl_young_show(uint32_t run, enum el_actor_state state)
{
    struct showing s = {run, state, 0};
    pl_young_tick();
    if (pl_young_each != NULL)
        pl_young_each(show, &s);
    if (run != 0) {
        pl_young_each = NULL; /* the runtime's code may be gone before the next run */
        abandon(run);
    }
    return s.n;
}

void pl_young_reset(void)
{
    atomic_store(&chains.head, 0);
    atomic_store(&latest, NULL);
    pl_young_stack_offset = 0;
    pl_young_each = NULL;
    memset(shown, 0, sizeof(shown));
    atomic_store(&pl_young_shown, 0);
}
