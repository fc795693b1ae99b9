/*
 * thread-churn.c - places that make thread after thread for a moment's work each. Threads that live
 * long, and one batch of many, are not its matter; threads that make more of their own kind are
 * that of recursive-spawn.
 */
#include <inttypes.h>

#include "analyzer/rules/recursion.h"
#include "analyzer/rules/rule.h"
#include "analyzer/rules/words.h"

static struct rule_threshold thresholds[] = {
    {"rate", 100, 100, "threads", "of one place that ended within one second"},
    {"short", 10, 10, "ms", "a thread that lived less than this is short-lived"},
    {"short-share", 0.9, 0.9, "of the threads", "at least so many were short-lived"},
    {"turnover", 4, 4, "times the peak",
     "made in all: one batch that lives at once, however large, is no churn"},
    {0},
};

/* Processor time in making all of them, from those that were measured. */
static double making_ns(const struct model_process *p, const struct model_site *site)
{
    const struct model_spread *make = model_find_spread(p, EL_SPREAD_THREAD_MAKE, site->stack);
    if (make == NULL || make->count == 0)
        return 0;
    return (double)make->total_ns / (double)make->count * (double)site->count;
}

static struct finding *finding_of(const struct rule *rule, const struct model_process *p,
                                  const struct model_spread *life, const struct model_site *site)
{
    struct finding *f = finding_create(rule, p);
    uint64_t median = model_spread_quantile(life, 0.5);
    double making = making_ns(p, site);
    f->confidence = CONFIDENCE_PROVEN;
    f->count = site->count;
    finding_set_times(f, site->first_ns, site->last_ns);
    finding_set_kind(f, "threads");
    finding_set_title(f,
                      "%" PRIu64
                      " threads were made at one place for a moment's work each: half of "
                      "them lived less than %s",
                      site->count, words_duration(median).text);
    finding_set_fix(f,
                    "Keep a fixed number of threads that live on, and hand them the work by a "
                    "queue.%s",
                    p->workers > 0 ? " A task that needs a thread for itself (weft_lock_thread) "
                                     "should be one of a few that are made at the start."
                                   : "");
    finding_add_stack(f, "created at", site->stack, true, NULL);
    finding_add_evidence(f, "rate", "up to %" PRIu64 " ended within one second", life->busiest);
    finding_add_evidence(f, "turnover",
                         "at most %" PRIu64 " %s alive at once: as many threads that live on could "
                         "have served all %" PRIu64,
                         site->peak, site->peak == 1 ? "was" : "were", site->count);
    finding_add_evidence(f, "lives", "half ended within %s, 99 of 100 within %s of their start",
                         words_duration(median).text,
                         words_duration(model_spread_quantile(life, 0.99)).text);
    finding_add_cost(f, "threads made", (double)site->count, "threads");
    if (making > 0)
        finding_add_cost(f, "processor time in making them", making, "ns");
    return f;
}

static bool is_churn(const struct rule *rule, const struct model_spread *life,
                     const struct model_site *site)
{
    uint64_t shorter = (uint64_t)(rule_threshold(rule, "short") * 1e6);
    return (double)life->busiest >= rule_threshold(rule, "rate") &&
           model_spread_below(life, shorter) >= rule_threshold(rule, "short-share") &&
           (double)site->count >= rule_threshold(rule, "turnover") * (double)site->peak;
}

static void judge(const struct rule *rule, const struct model_process *p, struct findings *out)
{
    for (size_t i = 0; i < p->nspreads; i++) {
        const struct model_spread *life = &p->spreads[i];
        if (life->kind != EL_SPREAD_THREAD_LIFE)
            continue;
        const struct model_site *site = model_find_site(p, EL_SITE_THREAD, life->stack);
        if (site != NULL && is_churn(rule, life, site) && !recursion_runs_away(p, site))
            findings_add(out, finding_of(rule, p, life, site));
    }
}

const struct rule rule_thread_churn = {
    .id = "thread-churn",
    .title_one = "churn of threads",
    .title_many = "churns of threads",
    .summary = "Places that make thread after thread for a moment's work each.",
    .severity = SEVERITY_WARNING,
    .thresholds = thresholds,
    .judge = judge,
};
