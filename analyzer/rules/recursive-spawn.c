/*
 * recursive-spawn.c - tasks or threads that make more of their own kind, each generation larger
 * than the last, and nobody waits for them. Work that is divided and awaited is not its matter, nor
 * is a task that makes its one successor.
 */
#include <inttypes.h>

#include "analyzer/rules/recursion.h"
#include "analyzer/rules/rule.h"
#include "analyzer/rules/words.h"

static struct rule_threshold thresholds[] = {
    {"generations", RECURSION_GENERATIONS, RECURSION_GENERATIONS, "generations",
     "the place is its own ancestor so often"},
    {"growth", RECURSION_GROWTH, RECURSION_GROWTH, "times the last",
     "a generation has so many, up to the largest"},
    {"tasks", RECURSION_MADE, RECURSION_MADE, "tasks or threads",
     "were made by those that were made there"},
    {"awaited-share", RECURSION_AWAITED_SHARE, RECURSION_AWAITED_SHARE, "of the makers",
     "waited for what they made: work that is divided, and comes together again"},
    {0},
};

static struct finding *finding_of(const struct rule *rule, const struct model_process *p,
                                  const struct model_site *site, const struct recursion *r)
{
    const struct model_lineage *l = r->lineage;
    struct finding *f = finding_create(rule, p);
    const char *many = l->kind == EL_SITE_TASK ? "tasks" : "threads";
    f->confidence = CONFIDENCE_PROBABLE;
    f->count = site->count;
    finding_set_times(f, site->first_ns, site->last_ns);
    finding_set_kind(f, many);
    finding_set_title(f,
                      "%s make more of their own kind, %" PRIu32
                      " generations deep, each %.2g times as large as the last",
                      many, l->deepest, r->growth);
    finding_set_fix(f,
                    "Make it a loop: one %s that tries again after a while, or a queue of what is "
                    "left to do that a fixed number of workers take from. Then the number of %s "
                    "does not depend on how much fails or is found.",
                    l->kind == EL_SITE_TASK ? "task" : "thread", many);
    finding_add_stack(f, "created at", site->stack, true, NULL);
    finding_add_evidence(f, "generations",
                         "%" PRIu64 " of %" PRIu64 " were made by others of this place; the "
                         "largest generation, number %" PRIu32 ", has %" PRIu64,
                         r->recursive, site->count, r->largest, l->made[r->largest]);
    finding_add_evidence(f, "waits", "%" PRIu64 " of %" PRIu64 " makers waited for what they made",
                         l->awaited, l->parents);
    finding_add_cost(f, l->kind == EL_SITE_TASK ? "tasks made" : "threads made",
                     (double)site->count, many);
    finding_add_cost(f, "growth by generation", r->growth, "x");
    finding_add_cost(f, "alive at once", (double)site->peak, many);
    return f;
}

static bool runs_away(const struct rule *rule, const struct recursion *r)
{
    const struct model_lineage *l = r->lineage;
    return l->deepest >= rule_threshold(rule, "generations") &&
           r->growth >= rule_threshold(rule, "growth") &&
           (double)r->recursive >= rule_threshold(rule, "tasks") &&
           (double)l->awaited < rule_threshold(rule, "awaited-share") * (double)l->parents;
}

static void judge(const struct rule *rule, const struct model_process *p, struct findings *out)
{
    for (size_t i = 0; i < p->nsites; i++) {
        struct recursion r;
        const struct model_site *site = &p->sites[i];
        if ((site->kind == EL_SITE_TASK || site->kind == EL_SITE_THREAD) &&
            recursion_get(p, site, &r) && runs_away(rule, &r))
            findings_add(out, finding_of(rule, p, site, &r));
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
