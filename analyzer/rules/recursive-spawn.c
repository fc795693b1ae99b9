/*
 * recursive-spawn.c - tasks or threads that make more of their own kind, each generation larger
 * than the last, and nobody waits for them. Work that is divided and awaited is not its matter, nor
 * is a task that makes its one successor.
 */
#include <inttypes.h>
#include <math.h>

#include "analyzer/rules/rule.h"
#include "analyzer/rules/words.h"

static struct rule_threshold thresholds[] = {
    {"generations", 3, 3, "generations", "the place is its own ancestor so often"},
    {"growth", 1.2, 1.2, "times the last", "a generation has so many, up to the largest"},
    {"tasks", 100, 100, "tasks or threads", "were made by those that were made there"},
    {"awaited-share", 0.5, 0.5, "of the makers",
     "waited for what they made: work that is divided, and comes together again"},
    {0},
};

enum { GENERATIONS = sizeof((struct model_lineage *)0)->made / sizeof(uint64_t) };

/* Where the population is largest, and by what factor it grew until there. */
struct growth {
    uint32_t largest;
    uint64_t recursive; /* made by those that were made there */
    double factor;
};

static struct growth growth_of(const struct model_lineage *l, const struct model_site *site)
{
    struct growth g = {.factor = 1};
    for (uint32_t i = 1; i < GENERATIONS; i++) {
        g.recursive += l->made[i];
        /* The last slot also has those of all later generations. */
        if (i + 1 < GENERATIONS && l->made[i] > l->made[g.largest])
            g.largest = i;
    }
    uint64_t first = site->count > g.recursive ? site->count - g.recursive : 1;
    if (g.largest > 0)
        g.factor = pow((double)l->made[g.largest] / (double)first, 1.0 / g.largest);
    return g;
}

static struct finding *finding_of(const struct rule *rule, const struct model_process *p,
                                  const struct model_lineage *l, const struct model_site *site,
                                  const struct growth *g)
{
    struct finding *f = finding_create(rule, p);
    const char *many = l->kind == EL_SITE_TASK ? "tasks" : "threads";
    f->confidence = CONFIDENCE_PROBABLE;
    f->count = site->count;
    finding_set_times(f, site->first_ns, site->last_ns);
    finding_set_kind(f, many);
    finding_set_title(f,
                      "%s make more of their own kind, %" PRIu32
                      " generations deep, each %.2g times as large as the last",
                      many, l->deepest, g->factor);
    finding_set_fix(f,
                    "Make it a loop: one %s that tries again after a while, or a queue of what is "
                    "left to do that a fixed number of workers take from. Then the number of %s "
                    "does not depend on how much fails or is found.",
                    l->kind == EL_SITE_TASK ? "task" : "thread", many);
    finding_add_stack(f, "created at", site->stack, true, NULL);
    finding_add_evidence(f, "generations",
                         "%" PRIu64 " of %" PRIu64 " were made by others of this place; the "
                         "largest generation, number %" PRIu32 ", has %" PRIu64,
                         g->recursive, site->count, g->largest, l->made[g->largest]);
    finding_add_evidence(f, "waits", "%" PRIu64 " of %" PRIu64 " makers waited for what they made",
                         l->awaited, l->parents);
    finding_add_cost(f, l->kind == EL_SITE_TASK ? "tasks made" : "threads made",
                     (double)site->count, many);
    finding_add_cost(f, "growth by generation", g->factor, "x");
    finding_add_cost(f, "alive at once", (double)site->peak, many);
    return f;
}

static void judge(const struct rule *rule, const struct model_process *p, struct findings *out)
{
    for (size_t i = 0; i < p->nlineages; i++) {
        const struct model_lineage *l = &p->lineages[i];
        const struct model_site *site = model_find_site(p, l->kind, l->stack);
        if (site == NULL || l->deepest < rule_threshold(rule, "generations"))
            continue;
        struct growth g = growth_of(l, site);
        if (g.factor >= rule_threshold(rule, "growth") &&
            (double)g.recursive >= rule_threshold(rule, "tasks") &&
            (double)l->awaited < rule_threshold(rule, "awaited-share") * (double)l->parents)
            findings_add(out, finding_of(rule, p, l, site, &g));
    }
}

const struct rule rule_recursive_spawn = {
    .id = "recursive-spawn",
    .title_one = "recursive spawn",
    .title_many = "recursive spawns",
    .summary = "Tasks or threads that make more of their own kind in growing generations.",
    .severity = SEVERITY_ERROR,
    .thresholds = thresholds,
    .judge = judge,
};
