/*
 * tiny-task.c - tasks whose work is over sooner than a task is begun. Tasks that wait for something
 * are not its matter: waiting beside others is what they are for.
 */
#include <inttypes.h>

#include "analyzer/rules/rule.h"
#include "analyzer/rules/words.h"

static struct rule_threshold thresholds[] = {
    {"tasks", 10000, 10000, "tasks", "were made at one place"},
    {"life", 5, 5, "us", "half of them end within this, and sooner than half of them begin"},
    {"samples", 50, 50, "tasks", "were measured at least"},
    {0},
};

static struct finding *finding_of(const struct rule *rule, const struct model_process *p,
                                  const struct model_spread *life, const struct model_spread *start,
                                  const struct model_site *site)
{
    struct finding *f = finding_create(rule, p);
    uint64_t run_ns = model_spread_quantile(life, 0.5);
    uint64_t wait_ns = model_spread_quantile(start, 0.5);
    f->confidence = CONFIDENCE_PROVEN;
    f->count = site->count;
    finding_set_times(f, site->first_ns, site->last_ns);
    finding_set_kind(f, "tasks");
    finding_set_title(f,
                      "%" PRIu64
                      " tasks made at one place do less than it takes to begin one: half "
                      "of them ran for %s or less, and took %s to begin",
                      site->count, words_duration(run_ns).text, words_duration(wait_ns).text);
    finding_set_fix(f, "Give each task more to do: a range of the items instead of one, or a fixed "
                       "number of workers that take items from a channel. What is that short can "
                       "also be done on the spot.");
    finding_add_stack(f, "created at", site->stack, true, NULL);
    finding_add_evidence(f, "begin", "half began within %s, 99 of 100 within %s of their making",
                         words_duration(wait_ns).text,
                         words_duration(model_spread_quantile(start, 0.99)).text);
    finding_add_evidence(f, "end", "half ended within %s, 99 of 100 within %s of their begin",
                         words_duration(run_ns).text,
                         words_duration(model_spread_quantile(life, 0.99)).text);
    finding_add_evidence(f, "measured", "%" PRIu64 " of them, one in %" PRIu64 " or so",
                         life->count, life->every);
    finding_add_cost(f, "time to begin, as a multiple of the time to run",
                     run_ns > 0 ? (double)wait_ns / (double)run_ns : 0, "x");
    finding_add_cost(f, "median until a task begins", (double)wait_ns, "ns");
    finding_add_cost(f, "99th percentile of that", (double)model_spread_quantile(start, 0.99),
                     "ns");
    finding_add_cost(f, "tasks made", (double)site->count, "tasks");
    return f;
}

static bool is_tiny(const struct rule *rule, const struct model_spread *life,
                    const struct model_spread *start, const struct model_site *site)
{
    uint64_t run_ns = model_spread_quantile(life, 0.5);
    return (double)site->count >= rule_threshold(rule, "tasks") &&
           (double)life->count >= rule_threshold(rule, "samples") &&
           (double)run_ns < rule_threshold(rule, "life") * 1e3 &&
           run_ns < model_spread_quantile(start, 0.5);
}

static void judge(const struct rule *rule, const struct model_process *p, struct findings *out)
{
    for (size_t i = 0; i < p->nspreads; i++) {
        const struct model_spread *life = &p->spreads[i];
        if (life->kind != EL_SPREAD_TASK_LIFE)
            continue;
        const struct model_spread *start = model_find_spread(p, EL_SPREAD_TASK_START, life->stack);
        const struct model_site *site = model_find_site(p, EL_SITE_TASK, life->stack);
        if (start != NULL && site != NULL && is_tiny(rule, life, start, site))
            findings_add(out, finding_of(rule, p, life, start, site));
    }
}

const struct rule rule_tiny_task = {
    .id = "tiny-task",
    .title_one = "place of tiny tasks",
    .title_many = "places of tiny tasks",
    .summary = "Tasks whose work is over sooner than a task is begun.",
    .severity = SEVERITY_WARNING,
    .thresholds = thresholds,
    .judge = judge,
};
