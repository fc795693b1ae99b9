/* actor.c - see actor.h. */
#include "preload/core/actor.h"

#include <string.h>

#include "preload/core/map.h"
#include "preload/core/record.h"

static struct pl_pool actors = {.bytes = sizeof(struct pl_actor)};
static _Atomic(struct pl_actor *) all;
static struct pl_map foreign; /* locks that were unlocked by who did not hold them */

void pl_actors_reset(void)
{
    atomic_store(&actors.head, 0);
    atomic_store(&all, NULL);
    pl_map_init(&foreign, 10);
}

struct pl_actor *pl_actor_create(uint64_t id)
{
    int fresh;
    struct pl_actor *actor = pl_pool_get(&actors, &fresh);
    if (actor == NULL)
        return NULL;
    if (actor->cell == NULL)
        actor->cell = el_alloc_actor(&pl_log);
    if (actor->cell == NULL) {
        pl_pool_put(&actors, actor);
        return NULL;
    }
    if (fresh) {
        struct pl_actor *first = atomic_load(&all);
        do
            atomic_store(&actor->all, first);
        while (!atomic_compare_exchange_weak(&all, &first, actor));
    }
    struct el_actor *cell = actor->cell;
    struct el_held *held = actor->held_cell;
    size_t kept = offsetof(struct pl_actor, epoch);
    memset((char *)actor + kept, 0, sizeof(*actor) - kept);
    memset((char *)cell + sizeof(cell->state), 0, sizeof(*cell) - sizeof(cell->state));
    actor->epoch = pl_epoch;
    actor->cell = cell;
    actor->held_cell = held;
    cell->actor = id;
    actor->id = id;
    return actor;
}

void pl_actor_destroy(struct pl_actor *actor)
{
    actor->id = 0;
    el_set_state(&actor->cell->state, EL_ACTOR_FREE);
    if (actor->held_cell != NULL && pl_held_settle(actor) != 0)
        actor->held_cell = NULL;
    else if (actor->held_cell != NULL)
        el_set_state(&actor->held_cell->state, EL_FREE);
    pl_pool_put(&actors, actor);
}

void pl_actor_each(void (*on)(struct pl_actor *actor, void *ctx), void *ctx)
{
    for (struct pl_actor *a = atomic_load(&all); a != NULL; a = atomic_load(&a->all))
        on(a, ctx);
}

/* The list's face in the record: written whole from entry `from` on. */
static void held_show(struct pl_actor *actor, uint32_t from)
{
    struct el_held *cell = actor->held_cell;
    if (cell == NULL) {
        cell = actor->held_cell = el_alloc_held(&pl_log);
        if (cell == NULL)
            return;
    }
    cell->actor = actor->id;
    uint32_t shown = actor->held_count < PL_HELD_CELL ? actor->held_count : PL_HELD_CELL;
    for (uint32_t i = from; i < shown; i++) {
        cell->lock[i] = (uint64_t)(uintptr_t)actor->held[i].lock;
        cell->kind[i] = actor->held[i].kind;
        cell->stack[i] = actor->held[i].stack;
    }
    __atomic_store_n(&cell->count, actor->held_count + actor->held_over, __ATOMIC_RELEASE);
    if (cell->state != EL_LIVE)
        el_set_state(&cell->state, EL_LIVE);
}

void pl_held_push(struct pl_actor *actor, uint32_t kind, const void *lock, uint32_t stack)
{
    if (__builtin_expect(atomic_load_explicit(&foreign.count, memory_order_relaxed) != 0, 0))
        pl_map_take(&foreign, (uint64_t)(uintptr_t)lock, NULL);
    if (actor->held_count == PL_HELD_MAX) {
        actor->held_over++;
        held_show(actor, PL_HELD_MAX);
        return;
    }
    uint32_t at = actor->held_count;
    actor->held[at] = (struct pl_held_lock){lock, kind, stack};
    actor->held_count = at + 1;
    held_show(actor, at);
}

int pl_held_remove(struct pl_actor *actor, const void *lock, struct pl_held_lock *removed)
{
    for (uint32_t i = actor->held_count; i-- > 0;) {
        if (actor->held[i].lock != lock)
            continue;
        if (removed != NULL)
            *removed = actor->held[i];
        for (uint32_t j = i; j + 1 < actor->held_count; j++)
            actor->held[j] = actor->held[j + 1];
        actor->held_count--;
        held_show(actor, i);
        return 1;
    }
    if (actor->held_over != 0) {
        if (removed != NULL)
            *removed = (struct pl_held_lock){lock, EL_WAIT_MUTEX, 0};
        actor->held_over--; /* one of those that were only counted */
        held_show(actor, actor->held_count);
        return 1;
    }
    return 0;
}

void pl_held_foreign(const void *lock)
{
    static int mark;
    if (lock != NULL)
        pl_map_set(&foreign, (uint64_t)(uintptr_t)lock, &mark);
}

int pl_held_settle(struct pl_actor *actor)
{
    if (__builtin_expect(atomic_load_explicit(&foreign.count, memory_order_relaxed) != 0, 0)) {
        for (uint32_t i = actor->held_count; i-- > 0;) {
            const void *lock = actor->held[i].lock;
            if (pl_map_take(&foreign, (uint64_t)(uintptr_t)lock, NULL) != NULL)
                pl_held_remove(actor, lock, NULL);
        }
    }
    return (int)(actor->held_count + actor->held_over);
}
