/* build_tasks.c - cells and events on how tasks and threads are made, spin and are grouped. */
#include <string.h>

#include "analyzer/model/build.h"
#include "analyzer/model/memory.h"

static void on_spread(struct model_builder *b, const struct el_spread *c)
{
    struct model_process *p = b->p;
    XGROW(p->spreads, p->nspreads);
    struct model_spread *s = &p->spreads[p->nspreads++];
    *s = (struct model_spread){
        .kind = c->kind,
        .stack = c->stack,
        .every = c->every > 0 ? c->every : 1,
        .count = c->count,
        .total_ns = c->total_ns,
        .max_ns = c->max_ns,
        .busiest = c->busiest,
        .busiest_ns = build_cell_ns(b, c->busiest_at),
        .first_ns = build_cell_ns(b, c->first_at),
        .last_ns = build_cell_ns(b, c->last_at),
    };
    _Static_assert(sizeof s->bins == sizeof c->bins, "as many bins in the record as in the model");
    memcpy(s->bins, c->bins, sizeof s->bins);
}

static void on_lineage(struct model_builder *b, const struct el_lineage *c)
{
    struct model_process *p = b->p;
    XGROW(p->lineages, p->nlineages);
    struct model_lineage *l = &p->lineages[p->nlineages++];
    *l = (struct model_lineage){
        .kind = c->kind,
        .stack = c->stack,
        .deepest = c->deepest,
        .parents = c->parents,
        .awaited = c->awaited,
    };
    _Static_assert(sizeof l->made == sizeof c->made, "as many generations as in the model");
    memcpy(l->made, c->made, sizeof l->made);
}

static void on_capture(struct model_builder *b, const struct el_capture *c)
{
    struct model_process *p = b->p;
    XGROW(p->captures, p->ncaptures);
    p->captures[p->ncaptures++] = (struct model_capture){
        .kind = c->kind,
        .stack = c->stack,
        .every = c->every > 0 ? c->every : 1,
        .looked = c->looked,
        .holders = c->holders,
        .shared = c->shared,
        .copied = c->copied,
        .nested = c->nested,
        .bytes = c->bytes,
        .written = c->written,
        .kept = c->kept,
        .wait_ns = build_ns(b, c->wait_ticks),
        .waiting = c->waiting,
        .waiting_since_ns = build_ns(b, c->wait_begins),
        .peak_bytes = c->peak_bytes,
        .peak_ns = build_cell_ns(b, c->peak_at),
        .peak_waiting = c->peak_waiting,
        .peak_alive = c->peak_alive,
        .peak_live = c->peak_live,
    };
}

static void on_spin(struct model_builder *b, const struct el_spin *c)
{
    struct model_process *p = b->p;
    XGROW(p->spins, p->nspins);
    p->spins[p->nspins++] = (struct model_spin){
        .kind = c->kind,
        .stack = c->stack,
        .actors = c->actors,
        .count = c->count,
        .longest = c->longest,
        .cpu_ns = build_ns(b, c->cpu_ticks),
        .between_ns = c->measured > 0 ? build_ns(b, c->between_ticks) / c->measured : 0,
        .first_ns = build_cell_ns(b, c->first_at),
        .last_ns = build_cell_ns(b, c->last_at),
    };
}

static void on_group(struct model_builder *b, const struct el_group *c)
{
    struct model_process *p = b->p;
    XGROW(p->groups, p->ngroups);
    p->groups[p->ngroups++] = (struct model_group){
        .stack = c->stack,
        .error = (int)c->error,
        .failed = c->failed,
        .cancels = c->cancels,
        .running = c->running,
        .started = c->started,
        .wasted_ns = build_ns(b, c->wasted_ticks),
        .longest_ns = build_ns(b, c->longest_ticks),
        .first_ns = build_cell_ns(b, c->first_at),
        .last_ns = build_cell_ns(b, c->last_at),
    };
}

/* Each cell begins with its state. */
void build_task_cell(struct model_builder *b, uint32_t id, const union el_any *any)
{
    if (any->spread.state == EL_FREE)
        return;
    if (id == EL_ID_spread)
        on_spread(b, &any->spread);
    else if (id == EL_ID_lineage)
        on_lineage(b, &any->lineage);
    else if (id == EL_ID_capture)
        on_capture(b, &any->capture);
    else if (id == EL_ID_spin)
        on_spin(b, &any->spin);
    else if (id == EL_ID_group)
        on_group(b, &any->group);
}

/* Those that wait at the end have done so until then. */
void build_settle_captures(struct model_process *p)
{
    for (size_t i = 0; i < p->ncaptures; i++) {
        struct model_capture *c = &p->captures[i];
        uint64_t until = c->waiting * p->end_ns;
        c->wait_ns += until > c->waiting_since_ns ? until - c->waiting_since_ns : 0;
    }
}

void build_misuse(struct model_builder *b, uint64_t at_ns, const struct el_misuse *e)
{
    struct model_process *p = b->p;
    if (p->nmisuses == MODEL_MISUSES_MOST)
        return;
    XGROW(p->misuses, p->nmisuses);
    p->misuses[p->nmisuses++] = (struct model_misuse){
        .kind = e->kind,
        .at_ns = at_ns,
        .actor = e->actor,
        .object = e->object,
        .other = e->other,
        .stack = e->stack,
        .other_stack = e->other_stack,
        .text = xstrdup(e->text != NULL ? e->text : ""),
    };
}
