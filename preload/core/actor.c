/* actor.c - see actor.h. */
#include "preload/core/actor.h"

#include <string.h>

#include "preload/core/map.h"
#include "preload/core/named.h"
#include "preload/core/record.h"
#include "preload/core/stack.h"
#include "preload/core/wait.h"

#define FREE_TASKS_MAX 4096 /* records that a thread keeps for itself */

static struct pl_pool actors = {.bytes = sizeof(struct pl_actor)};
static _Atomic(struct pl_actor *) all;
struct pl_map pl_held_strays; /* locks that were unlocked by who did not hold them */
static struct pl_map orphans; /* locks whose holder has ended */
struct pl_near pl_near_none;
struct pl_held_lock pl_held_none[2] = {{.near = &pl_near_none}, {.near = &pl_near_none}};
struct pl_actor pl_actor_none = {.held = &pl_held_none[1], .held_end = &pl_held_none[1]};

void pl_actors_reset(void)
{
    atomic_store(&actors.head, 0);
    atomic_store(&all, NULL);
    pl_map_init(&pl_held_strays, 10);
    pl_map_init(&orphans, 6);
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
    pl_actor_renew(actor, id);
    return actor;
}

/* All but the state. A million tasks are made at this pace: no call of memset. */
static void cell_clear(struct el_actor *cell)
{
    _Static_assert(sizeof(*cell) == 104, "each member is cleared below");
    cell->flags = cell->wait_kind = cell->wait_stack = 0;
    cell->object = cell->since = 0;
    cell->creator = cell->created_at = 0;
    cell->created_stack = cell->waits_here = 0;
    cell->waker = cell->start = cell->stack_bytes = cell->capture_bytes = 0;
    cell->run = cell->tid = 0;
}

void pl_held_forget_places(struct pl_actor *actor)
{
    for (uint32_t i = 0; actor->held != &pl_held_none[1] && i < PL_HELD_CELL; i++)
        actor->held[i].near = &pl_near_none;
}

/* Behind the last entry, and before the first, is one that is no lock's. */
void pl_held_make(struct pl_actor *actor)
{
    if (actor->held_cell == NULL)
        actor->held_cell = el_alloc_held(&pl_log);
    if (actor->held != &pl_held_none[1])
        return;
    struct pl_held_lock *room = pl_arena_alloc((PL_HELD_MAX + 2) * sizeof(room[0]));
    if (room == NULL)
        return;
    for (uint32_t i = 0; i < PL_HELD_MAX + 2; i++) {
        room[i].near = &pl_near_none;
        room[i].number = i - 1;
    }
    actor->held = actor->held_end = room + 1;
}

static void held_empty(struct pl_actor *actor)
{
    if (actor->held == NULL)
        actor->held = &pl_held_none[1];
    pl_held_forget_places(actor);
    actor->held_end = actor->held;
    actor->held_over = actor->held_room = 0;
}

void pl_actor_renew(struct pl_actor *actor, uint64_t id)
{
    actor->epoch = pl_epoch;
    actor->wait.again = 0;
    actor->wait.token = 0;
    actor->again = (struct loiter_again){0};
    actor->passing = (struct pl_passing){0};
    held_empty(actor);
    actor->site = NULL;
    actor->origin = NULL;
    actor->creator = 0;
    actor->brood = PL_NO_BROOD;
    actor->spawn_next = actor->parked = actor->captured = 0;
    actor->line[0] = actor->line[1] = (struct pl_line){NULL, 0};
    actor->lineage_flags = actor->rounds = actor->made_in = 0;
    actor->tiny_made = actor->tiny_began = 0;
    if (actor->spawns != NULL)
        memset(actor->spawns, 0, PL_SPAWN_RUNS * sizeof(actor->spawns[0]));
    actor->stack_lo = actor->stack_hi = 0;
    if (!el_actor_is_task(id)) {
        actor->pthread = 0;
        atomic_store_explicit(&actor->known, 0, memory_order_relaxed);
        atomic_store_explicit(&actor->life, 0, memory_order_relaxed);
    }
    cell_clear(actor->cell);
    actor->cell->actor = id;
    actor->id = id;
}

void pl_actor_retire(struct pl_actor *actor)
{
    pl_named_ends(actor);
    actor->id = 0;
    actor->held_room = 0;
    el_set_state(&actor->cell->state, EL_ACTOR_FREE);
    if (actor->held_cell == NULL)
        return;
    if (pl_held_settle(actor) == 0) {
        el_set_state(&actor->held_cell->state, EL_FREE);
        return;
    }
    actor->held_cell = NULL;
    for (const struct pl_held_lock *held = actor->held; held != actor->held_end; held++)
        pl_map_set(&orphans, (uint64_t)(uintptr_t)held->lock, &orphans);
}

void pl_actor_put(struct pl_actor *retired)
{
    pl_pool_put(&actors, retired);
}

struct pl_actor *pl_task_take(struct pl_thread *thread, uint64_t id)
{
    struct pl_actor *task = thread->free_tasks;
    if (task == NULL)
        return pl_actor_create(id);
    thread->free_tasks =
        (struct pl_actor *)atomic_load_explicit(&task->link.next, memory_order_relaxed);
    thread->free_task_count--;
    pl_actor_renew(task, id);
    return task;
}

void pl_task_put(struct pl_thread *thread, struct pl_actor *task)
{
    if (thread->free_task_count == FREE_TASKS_MAX) {
        pl_actor_put(task);
        return;
    }
    atomic_store_explicit(&task->link.next, (uintptr_t)thread->free_tasks, memory_order_relaxed);
    thread->free_tasks = task;
    thread->free_task_count++;
}

void pl_actor_destroy(struct pl_actor *actor)
{
    pl_actor_retire(actor);
    actor->blocked = actor->blocking = NULL;
    pl_actor_put(actor);
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
    if (cell == NULL)
        return;
    cell->actor = actor->id;
    const uint32_t count = pl_held_count(actor);
    const uint32_t shown = count < PL_HELD_CELL ? count : PL_HELD_CELL;
    for (uint32_t i = from; i < shown; i++) {
        cell->lock[i] = (uint64_t)(uintptr_t)actor->held[i].lock;
        cell->kind[i] = actor->held[i].kind;
        cell->stack[i] = actor->held[i].stack;
    }
    __atomic_store_n(&cell->count, count + actor->held_over, __ATOMIC_RELEASE);
    if (cell->state != EL_LIVE)
        el_set_state(&cell->state, EL_LIVE);
    actor->held_room = actor->held != &pl_held_none[1] && actor->held_over == 0 ? PL_HELD_CELL : 0;
}

/*
 * Locks that were given up by who did not hold them, while some actor has them in its list: the
 * list is that actor's to change. A stray is the number of the last who gave the lock up so, and
 * below it how often the lock was taken since, and how many lists have it still. An entry that was
 * made before that is not held any more. Nobody may have it, if the lock was taken unseen: a stray
 * is forgotten when its lock was taken STRAY_TAKEN_MOST times.
 */
#define STRAY_TAKEN      256u
#define STRAY_LISTS      (STRAY_TAKEN - 1)
#define STRAY_NUMBER     16 /* bits below it */
#define STRAY_TAKEN_MOST 16u

static _Atomic uint32_t given_up;

static uintptr_t stray_find(const void *lock)
{
    return (uintptr_t)pl_map_find(&pl_held_strays, (uint64_t)(uintptr_t)lock);
}

static uint32_t stray_number(uintptr_t stray)
{
    return (uint32_t)(stray >> STRAY_NUMBER);
}

static void *stray_more(void *value)
{
    const uintptr_t lists = (uintptr_t)value & STRAY_LISTS;
    uint32_t number = 0;
    while (number == 0)
        number = atomic_fetch_add_explicit(&given_up, 1, memory_order_relaxed) + 1;
    return (void *)((uintptr_t)number << STRAY_NUMBER | /* NOLINT: no pointer */
                    (lists < STRAY_LISTS ? lists + 1 : lists));
}

static void *stray_less(void *value)
{
    const uintptr_t word = (uintptr_t)value;
    return (word & STRAY_LISTS) <= 1 ? NULL : (void *)(word - 1); /* NOLINT */
}

static void *stray_taken(void *value)
{
    const uintptr_t word = (uintptr_t)value + STRAY_TAKEN;
    const int forgotten = (word >> 8 & 255) >= STRAY_TAKEN_MOST;
    return value == NULL || forgotten ? NULL : (void *)word; /* NOLINT */
}

static int is_stale(const struct pl_held_lock *held)
{
    const uintptr_t stray = stray_find(held->lock);
    return stray != 0 && (held->after == 0 || (int32_t)(stray_number(stray) - held->after) > 0);
}

static void held_take_out(struct pl_actor *actor, uint32_t i)
{
    struct pl_held_lock *end = actor->held_end - 1;
    for (struct pl_held_lock *at = &actor->held[i]; at < end; at++) {
        const uint32_t number = at->number;
        *at = at[1];
        at->number = number;
    }
    actor->held_end = end;
    held_show(actor, i);
}

/* Takes out what is not held any more; of that lock, or of all if it is NULL. */
static void held_forget(struct pl_actor *actor, const void *lock)
{
    for (uint32_t i = pl_held_count(actor); i-- > 0;) {
        const void *of = actor->held[i].lock;
        if ((lock != NULL && of != lock) || !is_stale(&actor->held[i]))
            continue;
        held_take_out(actor, i);
        pl_map_change(&pl_held_strays, (uint64_t)(uintptr_t)of, stray_less);
    }
}

/* Some are only counted; while any is, none is known by its place. */
static void held_over(struct pl_actor *actor, int more)
{
    pl_held_forget_places(actor);
    actor->held_over += (uint32_t)more;
    held_show(actor, PL_HELD_MAX);
}

void pl_held_push(struct pl_actor *actor, uint32_t kind, const void *lock, uint32_t stack)
{
    struct pl_held_lock held = {
        .lock = lock, .kind = (uint16_t)kind, .stack = stack, .near = &pl_near_none};
    pl_held_push_lock(actor, &held);
}

void pl_held_push_lock(struct pl_actor *actor, const struct pl_held_lock *held)
{
    pl_actor_tells(actor);
    if (pl_held_push_simply(actor, held))
        return;
    /* Who gave it up while the actor had it in its list did so before now. */
    held_forget(actor, held->lock);
    const uintptr_t stray = stray_find(held->lock);
    if (stray != 0)
        pl_map_change(&pl_held_strays, (uint64_t)(uintptr_t)held->lock, stray_taken);
    pl_held_prepare(actor);
    if (actor->held == &pl_held_none[1] || pl_held_count(actor) == PL_HELD_MAX) {
        held_over(actor, 1);
        return;
    }
    const uint32_t i = pl_held_count(actor);
    struct pl_held_lock *at = &actor->held[i];
    *at = *held;
    at->after = stray_number(stray);
    at->number = i;
    actor->held_end = at + 1;
    held_show(actor, i);
}

int pl_held_remove(struct pl_actor *actor, const void *lock, struct pl_held_lock *removed)
{
    for (uint32_t i = pl_held_count(actor); i-- > 0;) {
        if (actor->held[i].lock != lock)
            continue;
        if (removed != NULL)
            *removed = actor->held[i];
        held_take_out(actor, i);
        return 1;
    }
    if (actor->held_over != 0) {
        if (removed != NULL)
            *removed = (struct pl_held_lock){.lock = lock, .kind = EL_WAIT_MUTEX};
        held_over(actor, -1); /* one of those that were only counted */
        return 1;
    }
    return 0;
}

void pl_held_foreign(const void *lock)
{
    if (lock != NULL && pl_map_take(&orphans, (uint64_t)(uintptr_t)lock, NULL) == NULL)
        pl_map_change(&pl_held_strays, (uint64_t)(uintptr_t)lock, stray_more);
}

int pl_held_settle(struct pl_actor *actor)
{
    if (pl_held_any_strays())
        held_forget(actor, NULL);
    return (int)(pl_held_count(actor) + actor->held_over);
}
