/* group.c - see group.h. */
#include "preload/core/group.h"

#include "preload/core/arena.h"
#include "preload/core/clock.h"
#include "preload/core/lineage.h"
#include "preload/core/map.h"
#include "preload/core/record.h"
#include "preload/core/site.h"
#include "preload/core/stack.h"

/* A group between its first error and the wait that returns it; the runtime's lock of the group is
 * held in each call. Recycled. */
struct failed {
    struct pl_pool_link link;
    struct el_group *cell;
    uint64_t began, last; /* the first error, and the last change of `running` */
    uint32_t running;
};

static struct pl_pool failures = {.bytes = sizeof(struct failed)};
static struct pl_map failing; /* by group */
static struct pl_map cells;   /* by the place where members are made */
static struct pl_map waits;   /* by wait group */

#define FAILING_MOST 65536
#define WAITS_MOST   65536

void pl_groups_reset(void)
{
    atomic_store(&failures.head, 0);
    pl_map_init(&failing, 8);
    pl_map_init(&cells, 6);
    pl_map_init(&waits, 10);
}

static void *cell_make(void *arg)
{
    struct el_group *cell = el_alloc_group(&pl_log);
    if (cell == NULL)
        return NULL;
    cell->stack = *(const uint32_t *)arg;
    cell->first_at = pl_now();
    el_set_state(&cell->state, EL_LIVE);
    return cell;
}

void pl_group_failed(const struct pl_self *self, uint64_t group, uint32_t running, int error,
                     int cancels)
{
    uint32_t stack = self->actor->cell->created_stack;
    struct el_group *cell = pl_map_get(&cells, stack, cell_make, &stack);
    int fresh;
    struct failed *f = pl_map_find(&failing, group); /* that nobody has waited for */
    if (cell == NULL)
        return;
    if (f == NULL && atomic_load_explicit(&failing.count, memory_order_relaxed) < FAILING_MOST)
        f = pl_pool_get(&failures, &fresh);
    if (f == NULL)
        return;
    f->cell = cell;
    f->began = f->last = pl_now();
    f->running = running > 0 ? running - 1 : 0; /* the one that failed is done */
    cell->error = (uint32_t)error;
    el_count(&cell->failed, 1);
    __atomic_fetch_add(&cell->cancels, cancels != 0, __ATOMIC_RELAXED);
    el_count(&cell->running, f->running);
    if (pl_map_set(&failing, group, f) != 0)
        pl_pool_put(&failures, f);
}

void pl_group_changed(uint64_t group, uint32_t running, int started)
{
    struct failed *f = pl_map_find(&failing, group);
    if (f == NULL)
        return;
    struct el_group *cell = f->cell;
    uint64_t now = pl_now();
    uint64_t ticks = now > f->last ? now - f->last : 0;
    el_count(&cell->wasted_ticks, ticks * f->running);
    el_count(&cell->started, started != 0);
    pl_raise(&cell->longest_ticks, now - f->began);
    pl_raise(&cell->last_at, now);
    f->last = now;
    f->running = running;
}

void pl_group_waited(uint64_t group)
{
    struct failed *f = pl_map_take(&failing, group, NULL);
    if (f != NULL)
        pl_pool_put(&failures, f);
}

static void *wait_make(void *arg)
{
    struct pl_waited *w = pl_arena_alloc(sizeof(*w));
    if (w != NULL)
        w->adder.group = *(const uint64_t *)arg;
    return w;
}

/* The one that a thread asked for last is at hand. */
static struct pl_waited *wait_find(const struct pl_self *self, uint64_t group)
{
    struct pl_waited *w = self->thread->waited;
    if (w != NULL && w->adder.group == group)
        return w;
    w = pl_map_find(&waits, group);
    self->thread->waited = w;
    self->thread->ender.at->adder = w == NULL ? NULL : &w->adder;
    return w;
}

struct pl_waited *pl_waitgroup_waited(struct pl_self *self, uint64_t group, uint32_t stack)
{
    struct pl_waited *w = wait_find(self, group);
    if (w == NULL && atomic_load_explicit(&waits.count, memory_order_relaxed) < WAITS_MOST)
        w = pl_map_get(&waits, group, wait_make, &group);
    if (w == NULL)
        return NULL;
    if (w->late) {
        struct el_misuse event = {.actor = self->actor->id,
                                  .object = group,
                                  .kind = EL_MISUSE_GROUP_SETTLED,
                                  .stack = stack,
                                  .text = ""};
        w->late = 0;
        PL_WRITE(self, misuse, &event);
    }
    pl_waited_by(w, self->actor, stack);
    w->sure = 0;
    pl_waited_again(self, w, self->actor);
    pl_lineage_waited(self->actor);
    return w;
}

void pl_waitgroup_begun(struct pl_self *self, uint64_t group, struct pl_call call,
                        const void *caller)
{
    const struct pl_actor *actor = self->actor;
    struct pl_waited *w = actor->creator == 0 ? NULL : wait_find(self, group);
    if (w == NULL || pl_waited_allows(w, actor))
        return;
    w->late = 1;
    struct el_misuse event = {.actor = self->actor->id,
                              .object = group,
                              .kind = EL_MISUSE_GROUP_LATE,
                              .stack = pl_stack_from(self, call, caller),
                              .other = w->waiter,
                              .other_stack = w->stack,
                              .text = ""};
    w->stack = w->sure = 0;
    pl_waited_forgets(w);
    PL_WRITE(self, misuse, &event);
}
