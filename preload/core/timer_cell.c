/* timer_cell.c - see timer_cell.h. */
#include "preload/core/timer_cell.h"

#include "preload/core/actor.h"
#include "preload/core/clock.h"
#include "preload/core/map.h"
#include "preload/core/outcome.h"
#include "preload/core/stack.h"
#include "preload/core/timer_brief.h"

static struct pl_map timers;

/*
 * POSIX timers that nobody's place is taken by are beside the map: making one and ending it again
 * takes a locked instruction each here. SLOT_BUSY is no key.
 */
#define SLOTS     256u
#define SLOT_BUSY 1u
static struct slot {
    _Atomic uint64_t key; /* 0: free */
    _Atomic(struct el_timer *) cell;
} slots[SLOTS] PL_LARGE __attribute__((aligned(4096)));
static uint64_t bytes_of[EL_OBJ_FD];
uint32_t pl_timer_run;

void pl_timers_reset(void)
{
    pl_map_init(&timers, 12);
    for (uint32_t i = 0; i < SLOTS && pl_epoch > 1; i++)
        atomic_store_explicit(&slots[i].key, 0, memory_order_relaxed);
}

void pl_timer_bytes(enum el_object_kind kind, uint64_t bytes)
{
    if (kind < EL_OBJ_FD)
        bytes_of[kind] = bytes;
}

/* ---- what becomes of those of one place ---- */

/* Of the others there is one in a process, and making it costs nothing. */
static int counts(const struct el_timer *cell)
{
    return cell->kind != EL_OBJ_ITIMER && cell->kind != EL_OBJ_ALARM;
}

static struct pl_outcome *outcome_recent(const struct el_timer *cell)
{
    const struct pl_thread *thread = pl_self_block.thread;
    struct pl_outcome *o = thread == NULL ? NULL : thread->timer_outcome;
    if (o == NULL || o->cell->kind != cell->kind || o->cell->stack != cell->created_stack)
        return NULL;
    return o;
}

static struct pl_outcome *outcome_keep(struct pl_outcome *o)
{
    if (pl_self_block.thread != NULL)
        pl_self_block.thread->timer_outcome = o;
    return o;
}

static void outcome_begins(const struct el_timer *cell)
{
    if (!counts(cell))
        return;
    struct pl_outcome *o = outcome_recent(cell);
    if (o == NULL)
        o = outcome_keep(pl_outcome_get(cell->kind, cell->created_stack, 0));
    if (o != NULL)
        pl_outcome_made(o, bytes_of[cell->kind], cell->created_at);
}

/* Firings of the kernel's timers are not seen. */
static int had_its_time(const struct el_timer *cell)
{
    if (cell->fires != 0)
        return 1;
    if (cell->state != EL_TIMER_ARMED || cell->kind <= EL_OBJ_TICK)
        return 0;
    return pl_now() >= cell->armed_at + pl_ticks_of_ns(cell->first_ns);
}

static void outcome_ends(const struct el_timer *cell)
{
    if (!counts(cell))
        return;
    struct pl_outcome *o = outcome_recent(cell);
    if (o == NULL)
        o = outcome_keep(pl_outcome_find(cell->kind, cell->created_stack));
    if (o == NULL)
        return;
    if ((cell->flags & EL_TIMER_DROPPED) == 0 && !had_its_time(cell))
        pl_outcome_lost(o, 0);
    pl_outcome_gone(o);
}

void pl_timer_dropped(struct el_timer *cell, uint32_t stack)
{
    struct pl_outcome *o = pl_outcome_find(cell->kind, cell->created_stack);
    if (o == NULL || (cell->flags & EL_TIMER_DROPPED) != 0)
        return;
    cell->flags |= EL_TIMER_DROPPED;
    pl_outcome_lost(o, stack);
}

/* ---- cells ---- */

struct wanted {
    uint64_t creator, created_at; /* 0: now */
    enum el_object_kind kind;
    uint64_t object;
    uint32_t stack;
    uint32_t counted; /* its place knows of it */
    uint32_t made;
};

/* All but the state, and what timer_make sets: no string instruction for so few words. */
static void cell_clear(struct el_timer *cell)
{
    _Static_assert(sizeof(*cell) == 104, "each member is cleared below, or set");
    cell->armed_stack = cell->flags = 0;
    cell->period_ns = cell->first_ns = cell->armed_at = 0;
    cell->fires = cell->drops = 0;
    cell->last_used_at = cell->last_user = 0;
}

/* A thread keeps one free cell: who makes timers and ends them again takes it again and again. */
static struct el_timer *cell_get(struct pl_thread *thread)
{
    struct el_timer *cell = thread->spare_timer;
    if (cell == NULL)
        return el_alloc_timer(&pl_log);
    thread->spare_timer = NULL;
    cell_clear(cell);
    return cell;
}

static void cell_put(struct el_timer *cell)
{
    struct pl_thread *thread = pl_self_block.thread;
    if (thread == NULL || thread->spare_timer != NULL) {
        el_free_timer(&pl_log, cell);
        return;
    }
    el_set_state(&cell->state, EL_FREE);
    thread->spare_timer = cell;
}

static void *timer_make(void *arg)
{
    struct wanted *w = arg;
    struct el_timer *cell = cell_get(pl_self_block.thread);
    if (cell == NULL)
        return NULL;
    cell->kind = w->kind;
    cell->object = w->object;
    cell->creator = w->creator;
    cell->created_at = w->created_at != 0 ? w->created_at : pl_now();
    cell->created_stack = w->stack;
    cell->run = pl_timer_run;
    el_set_state(&cell->state, EL_TIMER_IDLE);
    w->made = 1;
    return cell;
}

static struct slot *slot_of(uint64_t key)
{
    return &slots[key * UINT64_C(0x9e3779b97f4a7c15) >> 56];
}

static struct el_timer *slot_find(uint64_t key)
{
    struct slot *slot = slot_of(key);
    if (atomic_load_explicit(&slot->key, memory_order_acquire) != key)
        return NULL;
    struct el_timer *cell = atomic_load_explicit(&slot->cell, memory_order_acquire);
    return atomic_load_explicit(&slot->key, memory_order_relaxed) == key ? cell : NULL;
}

/* From one to the other, and nobody else uses it then. */
static int slot_turn(struct slot *slot, uint64_t from)
{
    return atomic_compare_exchange_strong_explicit(&slot->key, &from, SLOT_BUSY,
                                                   memory_order_acquire, memory_order_relaxed);
}

static struct el_timer *slot_take(uint64_t key)
{
    struct slot *slot = slot_of(key);
    if (atomic_load_explicit(&slot->key, memory_order_relaxed) != key || !slot_turn(slot, key))
        return NULL;
    struct el_timer *cell = atomic_load_explicit(&slot->cell, memory_order_relaxed);
    atomic_store_explicit(&slot->key, 0, memory_order_release);
    return cell;
}

/* 1 when that settled it. */
static int slot_fill(struct wanted *w)
{
    uint64_t key = pl_timer_key(w->kind, w->object);
    struct slot *slot = slot_of(key);
    if (w->kind != EL_OBJ_POSIX_TIMER ||
        atomic_load_explicit(&slot->key, memory_order_relaxed) != 0 || !slot_turn(slot, 0))
        return 0;
    struct el_timer *cell = timer_make(w);
    atomic_store_explicit(&slot->cell, cell, memory_order_relaxed);
    atomic_store_explicit(&slot->key, cell != NULL ? key : 0, memory_order_release);
    if (cell != NULL && !w->counted)
        outcome_begins(cell);
    return 1;
}

static struct el_timer *cell_find(uint64_t key)
{
    struct el_timer *cell = slot_find(key);
    return cell != NULL ? cell : pl_map_find(&timers, key);
}

struct el_timer *pl_timer_find(enum el_object_kind kind, uint64_t object)
{
    uint64_t key = pl_timer_key(kind, object);
    struct el_timer *cell = cell_find(key);
    if (cell == NULL && kind == EL_OBJ_POSIX_TIMER && pl_brief_show(key))
        cell = cell_find(key);
    return cell;
}

static struct el_timer *timer_get(struct wanted *w)
{
    struct el_timer *cell = pl_timer_find(w->kind, w->object);
    if (cell == NULL)
        cell = pl_map_get(&timers, pl_timer_key(w->kind, w->object), timer_make, w);
    if (w->made && !w->counted)
        outcome_begins(cell);
    return cell;
}

/* One that ended unseen had the same id. */
static int has_earlier(enum el_object_kind kind, uint64_t object)
{
    return atomic_load_explicit(&timers.count, memory_order_relaxed) != 0 &&
           pl_map_find(&timers, pl_timer_key(kind, object)) != NULL;
}

static void begins(struct wanted *w)
{
    if (!has_earlier(w->kind, w->object) && slot_fill(w))
        return;
    if (timer_get(w) == NULL || w->made)
        return;
    pl_timer_destroyed(w->kind, w->object); /* an earlier life of the same id */
    timer_get(w);
}

void pl_timer_created(struct pl_self *self, enum el_object_kind kind, uint64_t object,
                      uint32_t stack)
{
    struct wanted w = {.creator = self->actor->id, .kind = kind, .object = object, .stack = stack};
    begins(&w);
}

void pl_timer_posix_created(struct pl_self *self, uint64_t id, struct pl_call call)
{
    uint32_t stack = pl_stack(self, call);
    if (!pl_brief_begin(self, pl_timer_key(EL_OBJ_POSIX_TIMER, id), stack, call))
        pl_timer_created(self, EL_OBJ_POSIX_TIMER, id, stack);
}

void pl_timer_shown(uint64_t key, uint64_t creator, uint32_t stack, uint64_t now)
{
    struct wanted w = {.creator = creator,
                       .created_at = now,
                       .kind = EL_OBJ_POSIX_TIMER,
                       .object = key ^ pl_timer_key(EL_OBJ_POSIX_TIMER, 0),
                       .stack = stack,
                       .counted = 1};
    begins(&w);
}

void pl_timer_armed(struct pl_self *self, enum el_object_kind kind, uint64_t object,
                    uint64_t first_ns, uint64_t period_ns, uint32_t flags, uint32_t stack)
{
    struct wanted w = {.creator = self->actor->id, .kind = kind, .object = object, .stack = stack};
    struct el_timer *cell = timer_get(&w);
    if (cell == NULL)
        return;
    cell->armed_stack = stack;
    cell->first_ns = first_ns;
    cell->period_ns = period_ns;
    cell->armed_at = pl_now();
    cell->flags = flags;
    el_set_state(&cell->state, EL_TIMER_ARMED);
}

void pl_timer_stopped(enum el_object_kind kind, uint64_t object)
{
    struct el_timer *cell = pl_timer_find(kind, object);
    if (cell != NULL)
        el_set_state(&cell->state, EL_TIMER_STOPPED);
}

void pl_timer_fired(enum el_object_kind kind, uint64_t object, uint64_t times, uint64_t dropped)
{
    struct el_timer *cell = pl_timer_find(kind, object);
    if (cell == NULL)
        return;
    el_count(&cell->fires, times);
    if (dropped != 0)
        el_count(&cell->drops, dropped);
    if (cell->period_ns == 0 && cell->state == EL_TIMER_ARMED)
        el_set_state(&cell->state, EL_TIMER_IDLE);
}

void pl_timer_used(struct pl_self *self, enum el_object_kind kind, uint64_t object)
{
    struct el_timer *cell = pl_timer_find(kind, object);
    if (cell == NULL)
        return;
    cell->last_used_at = pl_now();
    cell->last_user = self->actor->id;
}

static struct el_timer *cell_take(uint64_t key)
{
    struct el_timer *cell = slot_take(key);
    return cell != NULL ? cell : pl_map_take(&timers, key, NULL);
}

void pl_timer_destroyed(enum el_object_kind kind, uint64_t object)
{
    uint64_t key = pl_timer_key(kind, object);
    struct el_timer *cell = cell_take(key);
    if (cell == NULL && kind == EL_OBJ_POSIX_TIMER && pl_brief_show(key))
        cell = cell_take(key);
    if (cell == NULL)
        return;
    outcome_ends(cell);
    cell_put(cell);
}

static int timer_abandon(void *value, void *ctx)
{
    struct el_timer *cell = value;
    const uint32_t *run = ctx;
    if (cell->run != *run || cell->kind < EL_OBJ_TIMER || cell->kind > EL_OBJ_TICK)
        return 0;
    if (cell->state == EL_TIMER_ARMED)
        cell->flags |= EL_TIMER_ABANDONED;
    return 1;
}

void pl_timers_abandon(uint32_t run)
{
    pl_map_each(&timers, timer_abandon, &run);
}
