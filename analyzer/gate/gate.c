/*
 * gate.c - see gate.h.
 */
#include "analyzer/gate/gate.h"

#include "analyzer/model/memory.h"
#include "analyzer/rules/rule.h"

static const char *const severities[] = {"note", "warning", "error"};

const char *severity_name(enum severity s)
{
    return severities[s];
}

int severity_find(const char *name)
{
    for (int i = 0; i < 3; i++)
        if (strcmp(severities[i], name) == 0)
            return i;
    return -1;
}

/* ---- merging ---- */

/* Peaks and longest times do not add up; the rest does. */
static bool is_extreme(const char *what)
{
    return strncmp(what, "peak", 4) == 0 || strncmp(what, "longest", 7) == 0 ||
           strncmp(what, "max", 3) == 0;
}

static void merge_costs(struct finding *into, const struct finding *from)
{
    for (size_t i = 0; i < from->ncosts; i++) {
        const struct finding_cost *c = &from->costs[i];
        size_t k = 0;
        while (k < into->ncosts && (strcmp(into->costs[k].what, c->what) != 0 ||
                                    strcmp(into->costs[k].unit, c->unit) != 0))
            k++;
        if (k == into->ncosts)
            finding_add_cost(into, c->what, c->amount, c->unit);
        else if (!is_extreme(c->what))
            into->costs[k].amount += c->amount;
        else if (c->amount > into->costs[k].amount)
            into->costs[k].amount = c->amount;
    }
}

static void add_process(struct gate_item *item, const struct model_process *p, uint64_t count)
{
    for (size_t i = 0; i < item->nprocesses; i++) {
        if (item->processes[i].process == p) {
            item->processes[i].count += count;
            return;
        }
    }
    XGROW(item->processes, item->nprocesses);
    item->processes[item->nprocesses++] = (struct gate_process){p, count};
}

/* The main cost, which is the first. */
static double weight_of(const struct finding *f)
{
    return f->ncosts ? f->costs[0].amount : 0;
}

/* The heavier one keeps its words, and the first of equals. Times count from the begin of a
 * process: those of another one say nothing beside them. */
static void merge_finding(struct gate_item *item, struct finding *from)
{
    struct finding *into = item->finding;
    add_process(item, from->process, from->count);
    if (weight_of(from) > item->heaviest) {
        item->heaviest = weight_of(from);
        item->finding = from;
        from = into;
        into = item->finding;
    }
    into->count += from->count;
    into->growth_per_s += from->growth_per_s;
    if (from->severity > into->severity)
        into->severity = from->severity;
    if (from->confidence > into->confidence)
        into->confidence = from->confidence;
    if (from->process == into->process) {
        if (from->first_ns < into->first_ns)
            into->first_ns = from->first_ns;
        if (from->last_ns > into->last_ns)
            into->last_ns = from->last_ns;
    }
    merge_costs(into, from);
    finding_destroy(from);
}

/* ---- order ---- */

static int by_fingerprint_and_age(const void *a, const void *b)
{
    const struct finding *x = *(struct finding *const *)a, *y = *(struct finding *const *)b;
    int order = strcmp(x->fingerprint, y->fingerprint);
    if (order != 0)
        return order;
    if (x->process != y->process)
        return x->process < y->process ? -1 : 1;
    return (x->first_ns > y->first_ns) - (x->first_ns < y->first_ns);
}

static int by_weight(const void *a, const void *b)
{
    const struct finding *x = ((const struct gate_item *)a)->finding;
    const struct finding *y = ((const struct gate_item *)b)->finding;
    if (x->severity != y->severity)
        return x->severity > y->severity ? -1 : 1;
    if (x->confidence != y->confidence)
        return x->confidence > y->confidence ? -1 : 1;
    int rule = strcmp(x->rule->id, y->rule->id);
    if (rule != 0)
        return rule;
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return strcmp(x->fingerprint, y->fingerprint);
}

static void merge_all(struct gate *g, struct findings *all)
{
    /* Equal ones side by side, the earliest first. */
    if (all->n)
        qsort(all->items, all->n, sizeof(*all->items), by_fingerprint_and_age);
    for (size_t i = 0; i < all->n; i++) {
        struct finding *f = all->items[i];
        if (g->n && strcmp(g->items[g->n - 1].finding->fingerprint, f->fingerprint) == 0) {
            merge_finding(&g->items[g->n - 1], f);
            continue;
        }
        XGROW(g->items, g->n);
        g->items[g->n++] = (struct gate_item){.finding = f, .heaviest = weight_of(f)};
        add_process(&g->items[g->n - 1], f->process, f->count);
    }
    free(all->items);
    *all = (struct findings){0};
    if (g->n)
        qsort(g->items, g->n, sizeof(*g->items), by_weight);
}

void gate_judge(struct gate *g, struct findings *all, struct suppressions *suppressions,
                const struct baseline *baseline, enum severity bar)
{
    *g = (struct gate){.bar = bar};
    merge_all(g, all);
    for (size_t i = 0; i < g->n; i++) {
        struct gate_item *item = &g->items[i];
        item->suppressed = suppressions_match(suppressions, item->finding);
        if (!item->suppressed)
            item->known = baseline_find(baseline, item->finding->fingerprint);
        g->suppressed += item->suppressed != NULL;
        g->known += item->known != NULL;
        if (gate_is_active(item)) {
            g->active[item->finding->severity]++;
            g->failing += item->finding->severity >= bar;
        }
    }
}

void gate_clear(struct gate *g)
{
    for (size_t i = 0; i < g->n; i++) {
        finding_destroy(g->items[i].finding);
        free(g->items[i].processes);
    }
    free(g->items);
    *g = (struct gate){0};
}
