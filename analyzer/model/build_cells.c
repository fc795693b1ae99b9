/* build_cells.c - cells into the model: how things stood when the process ended. */
#include <string.h>

#include "analyzer/model/build.h"
#include "analyzer/model/memory.h"

uint64_t build_cell_ns(struct model_builder *b, uint64_t ticks)
{
    uint64_t ns = build_ns(b, ticks);
    /* Beyond a century it is damage, not a time. */
    if (ns > UINT64_C(3153600000) * 1000000000u) {
        b->rejected++;
        return 0;
    }
    if (ns > b->latest_ns)
        b->latest_ns = ns;
    return ns;
}

static void on_actor(struct model_builder *b, const struct el_actor *c)
{
    if (c->state == EL_ACTOR_FREE)
        return;
    if (c->actor == 0 || c->state > EL_ACTOR_ABANDONED) {
        b->rejected++;
        return;
    }
    struct model_actor *a = build_actor(b, c->actor);
    a->has_cell = true;
    a->state = c->state;
    a->flags = c->flags;
    a->wait_kind = c->wait_kind;
    a->wait_stack = c->wait_stack;
    a->object = c->object;
    a->since_ns = build_cell_ns(b, c->since);
    a->creator = c->creator;
    a->created_ns = build_cell_ns(b, c->created_at);
    a->created_stack = c->created_stack;
    a->waits_here = c->waits_here;
    a->waker = c->waker;
    a->start = c->start;
    a->stack_bytes = c->stack_bytes;
    a->capture_bytes = c->capture_bytes;
    a->run = c->run;
    a->tid = c->tid;
}

static void on_held(struct model_builder *b, const struct el_held *c)
{
    struct model_process *p = b->p;
    if (c->state != EL_LIVE || c->count == 0)
        return;
    XGROW(p->helds, p->nhelds);
    struct model_held *h = &p->helds[p->nhelds++];
    *h = (struct model_held){.count = c->count, .actor = c->actor};
    for (size_t i = 0; i < sizeof h->locks / sizeof h->locks[0] && i < c->count; i++) {
        h->locks[i].lock = c->lock[i];
        h->locks[i].kind = c->kind[i];
        h->locks[i].stack = c->stack[i];
    }
}

static void on_named(struct model_builder *b, const struct el_named *c)
{
    struct model_process *p = b->p;
    if (c->state != EL_LIVE)
        return;
    XGROW(p->nameds, p->nnameds);
    struct model_named *n = &p->nameds[p->nnameds++];
    *n = (struct model_named){.actor = c->actor};
    _Static_assert(sizeof n->name == sizeof c->name && sizeof n->labels == sizeof c->labels,
                   "as long in the record as in the model");
    memcpy(n->name, c->name, sizeof n->name - 1);
    memcpy(n->labels, c->labels, sizeof n->labels - 1);
}

static void on_object(struct model_builder *b, const struct el_object *c)
{
    struct model_process *p = b->p;
    if (c->state == EL_FREE)
        return;
    XGROW(p->objects, p->nobjects);
    p->objects[p->nobjects++] = (struct model_object){
        .address = c->object,
        .kind = c->kind,
        .state = c->state,
        .storage = c->storage,
        .creator = c->creator,
        .created_ns = build_cell_ns(b, c->created_at),
        .created_stack = c->created_stack,
        .last_waker_stack = c->last_waker_stack,
        .last_waiter_stack = c->last_waiter_stack,
        .last_waker = c->last_waker,
        .last_waiter = c->last_waiter,
        .last_waker_ns = build_cell_ns(b, c->last_waker_at),
        .wakes = c->wakes,
        .waits = c->waits,
        .wait_ns = build_ns(b, c->wait_ticks),
        .io_ns = build_ns(b, c->io_ticks),
        .wait_io_ns = build_ns(b, c->wait_io_ticks),
        .items = c->items,
        .capacity = c->capacity,
    };
}

static void on_timer(struct model_builder *b, const struct el_timer *c)
{
    struct model_process *p = b->p;
    if (c->state == EL_TIMER_FREE)
        return;
    XGROW(p->timers, p->ntimers);
    p->timers[p->ntimers++] = (struct model_timer){
        .object = c->object,
        .kind = c->kind,
        .state = c->state,
        .flags = c->flags,
        .creator = c->creator,
        .created_ns = build_cell_ns(b, c->created_at),
        .armed_ns = build_cell_ns(b, c->armed_at),
        .last_used_ns = build_cell_ns(b, c->last_used_at),
        .created_stack = c->created_stack,
        .armed_stack = c->armed_stack,
        .period_ns = c->period_ns,
        .first_ns = c->first_ns,
        .fires = c->fires,
        .drops = c->drops,
        .last_user = c->last_user,
        .run = c->run,
    };
}

static void on_site(struct model_builder *b, const struct el_site *c)
{
    struct model_process *p = b->p;
    if (c->state == EL_FREE)
        return;
    struct model_site s = {
        .kind = c->kind,
        .stack = c->stack,
        .stack2 = c->stack2,
        .count = c->count,
        .live = c->live,
        .peak = c->peak,
        .peak_ns = build_cell_ns(b, c->peak_at),
        .bytes = c->bytes,
        .total_ns = build_ns(b, c->ticks),
        .max_ns = build_ns(b, c->ticks_max),
        .first_ns = build_cell_ns(b, c->first_at),
        .last_ns = build_cell_ns(b, c->last_at),
        .backpressure = c->backpressure,
        .backpressure_live = c->backpressure_live,
        .run_peak = c->run_peak,
    };
    XGROW(p->sites, p->nsites);
    p->sites[p->nsites++] = s;
    if (s.kind == EL_SITE_LOCK_IO)
        build_lock_io_site(b, &s);
}

static void on_outcome(struct model_builder *b, const struct el_outcome *c)
{
    struct model_process *p = b->p;
    if (c->state == EL_FREE)
        return;
    XGROW(p->outcomes, p->noutcomes);
    p->outcomes[p->noutcomes++] = (struct model_outcome){
        .kind = c->kind,
        .stack = c->stack,
        .lost_stack = c->lost_stack,
        .how = c->how,
        .made = c->made,
        .gone = c->gone,
        .lost = c->lost,
        .peak = c->peak,
        .peak_ns = build_cell_ns(b, c->peak_at),
        .bytes = c->bytes,
        .items = c->items,
        .lost_ns = build_ns(b, c->ticks),
        .first_ns = build_cell_ns(b, c->first_at),
        .last_ns = build_cell_ns(b, c->last_at),
        .burst = c->burst,
        .sweep = c->sweep,
    };
}

static void on_descriptor(struct model_builder *b, const struct el_descriptor *c)
{
    struct model_process *p = b->p;
    if (c->state == EL_FREE)
        return;
    XGROW(p->descriptors, p->ndescriptors);
    p->descriptors[p->ndescriptors++] = (struct model_descriptor){
        .fd = c->fd,
        .kind = c->kind,
        .flags = c->flags,
        .stack = c->stack,
        .idle = c->idle,
        .opener = c->opener,
        .opened_ns = build_cell_ns(b, c->opened_at),
        .device = c->device,
        .inode = c->inode,
    };
}

static void on_summary(struct model_builder *b, const struct el_summary *c)
{
    struct model_process *p = b->p;
    p->state = c->state;
    if (c->stop_reason != EL_STOP_NONE)
        p->stop_reason = c->stop_reason;
    build_cell_ns(b, c->heartbeat);
    p->lost_reentered = c->lost_reentered;
    p->lost_full = c->lost_full;
    p->lost_late = c->lost_late;
    p->lost = c->lost_reentered + c->lost_full + c->lost_late;
    p->lost_cells = c->lost_cells;
    p->outside = c->outside;
    p->thinned = c->thinned;
    p->thinned_ns = build_cell_ns(b, c->thinned_at);
    p->unwinds = c->unwinds;
    p->stack_hits = c->stack_hits;
    p->threads_made = c->threads;
    p->tasks_made = c->tasks;
    p->tracked = c->born + c->became;
    p->nofile = c->nofile;
    p->pair_ns = (double)c->pair_ps / 1000;
    p->clock_ns = (double)c->clock_ps / 1000;
    if (c->workers > p->workers && c->workers < UINT32_MAX)
        p->workers = (uint32_t)c->workers;
}

void model_builder_cell(struct model_builder *b, uint32_t id, const union el_any *any)
{
    switch (id) {
    case EL_ID_actor:
        on_actor(b, &any->actor);
        break;
    case EL_ID_held:
        on_held(b, &any->held);
        break;
    case EL_ID_named:
        on_named(b, &any->named);
        break;
    case EL_ID_object:
        on_object(b, &any->object);
        break;
    case EL_ID_timer:
        on_timer(b, &any->timer);
        break;
    case EL_ID_site:
        on_site(b, &any->site);
        break;
    case EL_ID_outcome:
        on_outcome(b, &any->outcome);
        break;
    case EL_ID_descriptor:
        on_descriptor(b, &any->descriptor);
        break;
    case EL_ID_summary:
        on_summary(b, &any->summary);
        break;
    default: /* and those of a later version */
        if (!build_heap_cell(b, id, any))
            build_task_cell(b, id, any);
        break;
    }
}

/* No time lies after the end, so that every age is a number from 0 up. */
static void clamp_times(struct model_process *p)
{
    const uint64_t end = p->end_ns;
#define CLAMP(t) ((t) = (t) > end ? end : (t))
    for (size_t i = 0; i < p->nactors; i++) {
        CLAMP(p->actors[i].since_ns);
        CLAMP(p->actors[i].created_ns);
        CLAMP(p->actors[i].ended_ns);
    }
    for (size_t i = 0; i < p->ntimers; i++) {
        CLAMP(p->timers[i].created_ns);
        CLAMP(p->timers[i].armed_ns);
        CLAMP(p->timers[i].last_used_ns);
    }
    for (size_t i = 0; i < p->ndescriptors; i++)
        CLAMP(p->descriptors[i].opened_ns);
    for (size_t i = 0; i < p->nlock_ios; i++) {
        CLAMP(p->lock_ios[i].last_ns);
        CLAMP(p->lock_ios[i].first_ns);
    }
#undef CLAMP
}

/* What lived when its runtime's main task returned was left behind; its cell still says how it
 * stood then. */
static void abandon(struct model_process *p)
{
    for (size_t i = 0; i < p->nactors; i++) {
        struct model_actor *a = &p->actors[i];
        const struct model_run *run =
            model_is_task(a->id) && a->run != 0 ? model_find_run(p, a->run) : NULL;
        if (run != NULL && run->end_ns != 0 && a->state != EL_ACTOR_ENDED)
            a->state = EL_ACTOR_ABANDONED;
    }
    for (size_t i = 0; i < p->ntimers; i++) {
        struct model_timer *t = &p->timers[i];
        const struct model_run *run = t->run != 0 ? model_find_run(p, t->run) : NULL;
        if (run != NULL && run->end_ns != 0 && t->state == EL_TIMER_ARMED)
            t->flags |= EL_TIMER_ABANDONED;
    }
}

void model_builder_finish(struct model_builder *b)
{
    struct model_process *p = b->p;
    abandon(p);
    if (b->latest_ns > p->end_ns)
        p->end_ns = b->latest_ns;
    /* What is recorded behind is Loiter's own search for lost blocks, which is no life. */
    if (b->exit_ns != 0)
        p->end_ns = b->exit_ns;
    build_window_close(b);
    build_settle_locks(b);
    build_settle_captures(p);
    clamp_times(p);
    model_process_index(p);
    table_finish(&b->actors);
    table_finish(&b->waits);
    table_finish(&b->wait_places);
    table_finish(&b->lock_ios);
    table_finish(&b->locks);
    free(b->build_locks);
    free(b->ended);
    b->build_locks = NULL;
    b->ended = NULL;
}
