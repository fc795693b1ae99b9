/*
 * group-error-ignored.c - groups whose members run on when one of them has failed and the result of
 * the others is not wanted any more.
 */
#include <inttypes.h>
#include <string.h>

#include "analyzer/rules/rule.h"
#include "analyzer/rules/words.h"

static struct rule_threshold thresholds[] = {
    {"wasted", 1, 1, "s of tasks", "that members ran after the first error, over all such groups"},
    {"after", 10, 10, "ms", "a group went on so long after its first error"},
    {0},
};

static struct finding *finding_of(const struct rule *rule, const struct model_process *p,
                                  const struct model_group *g)
{
    struct finding *f = finding_create(rule, p);
    bool cancelled = g->cancels > 0;
    f->confidence = CONFIDENCE_PROVEN;
    f->count = g->running + g->started;
    finding_set_times(f, g->first_ns, g->last_ns);
    finding_set_kind(f, cancelled ? "cancelled group" : "group");
    finding_set_title(f, "%" PRIu64 " tasks of a group ran on after one of them had failed%s",
                      f->count, cancelled ? ", though the group's context was cancelled" : "");
    if (cancelled)
        finding_set_fix(f, "Let the members look at the context that weft_group_with_ctx gave: a "
                           "case for weft_ctx_done in each wait, weft_ctx_err between two steps.");
    else
        finding_set_fix(f, "Give the group a context (weft_group_with_ctx), which the first error "
                           "cancels, and let the members look at it: a case for weft_ctx_done in "
                           "each wait, weft_ctx_err between two steps.");
    finding_add_stack(f, "created at", g->stack, true, NULL);
    finding_add_evidence(f, "groups", "%" PRIu64 " failed, the last with error %d (%s)", g->failed,
                         g->error, strerror(g->error < 0 ? -g->error : g->error));
    finding_add_evidence(f, "members",
                         "%" PRIu64 " were running when the first error came, %" PRIu64
                         " were begun after it",
                         g->running, g->started);
    finding_add_cost(f, "time of tasks after the error", (double)g->wasted_ns, "ns");
    finding_add_cost(f, "longest time until a group's end", (double)g->longest_ns, "ns");
    return f;
}

static void judge(const struct rule *rule, const struct model_process *p, struct findings *out)
{
    for (size_t i = 0; i < p->ngroups; i++) {
        const struct model_group *g = &p->groups[i];
        if ((double)g->wasted_ns >= rule_threshold(rule, "wasted") * 1e9 &&
            (double)g->longest_ns >= rule_threshold(rule, "after") * 1e6)
            findings_add(out, finding_of(rule, p, g));
    }
}

const struct rule rule_group_error_ignored = {
    .id = "group-error-ignored",
    .title_one = "error of a group ignored",
    .title_many = "errors of groups ignored",
    .summary = "Groups of tasks that run on after the first error.",
    .severity = SEVERITY_WARNING,
    .thresholds = thresholds,
    .judge = judge,
};
