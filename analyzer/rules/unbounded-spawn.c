/*
 * unbounded-spawn.c - places that make task after task, or thread after thread, faster than these
 * end, and that nothing holds back. Waves of few and bounded pools are not its matter. Where there
 * are so many because their blocking calls hold a thread each, that is told by thread-explosion;
 * because they make each other, by recursive-spawn; because they never end, by leaked-task and
 * leaked-thread.
 */
#include <inttypes.h>

#include "analyzer/rules/blocked.h"
#include "analyzer/rules/recursion.h"
#include "analyzer/rules/rule.h"
#include "analyzer/rules/waiters.h"
#include "analyzer/rules/words.h"

static struct rule_threshold thresholds[] = {
    {"live", 1000, 1000, "tasks or threads", "alive at once, out of one run without back-pressure"},
    {"per-worker", 64, 64, "for each worker",
     "and as many for each worker (processor, for threads)"},
    {"pressure-least", 16, 16, "waits", "back-pressure counts when it was met that often"},
    {"pressure-share", 0.25, 0.25, "of the peak", "and no more than this was made between two"},
    {"limit-rise", 0.1, 0.1, "of what lived then",
     "a peak no higher than this above back-pressure is a limit; 1 / pressure-share waits do then"},
    {0},
};

/* The peak is where the spawner was held back: it met a limit. Where many end at once, one wait
 * lets it make many, and few waits are met; a whole peak's worth made with them is enough. */
static bool stayed_at_limit(const struct rule *rule, const struct model_site *s)
{
    return (double)s->backpressure * rule_threshold(rule, "pressure-share") >= 1 &&
           (double)s->peak <=
               (double)s->backpressure_live * (1 + rule_threshold(rule, "limit-rise"));
}

static bool was_held_back_often(const struct rule *rule, const struct model_site *s)
{
    return (double)s->backpressure >= rule_threshold(rule, "pressure-least") &&
           2 * s->backpressure_live >= s->peak;
}

/* A bounded pool meets back-pressure at its limit, again and again; waves meet it when all are
 * made. */
static bool is_bounded(const struct rule *rule, const struct model_site *s)
{
    if (!stayed_at_limit(rule, s) && !was_held_back_often(rule, s))
        return false;
    double later = s->count > s->peak ? (double)(s->count - s->peak) : 0;
    return later <=
           (double)s->backpressure * rule_threshold(rule, "pressure-share") * (double)s->peak;
}

/* Most alive out of one run without back-pressure. Where there was none at all, all was one run,
 * from however many stacks. */
static uint64_t longest_run(const struct model_site *s)
{
    return s->backpressure > 0 ? s->run_peak : s->peak;
}

static double limit_of(const struct rule *rule, const struct model_process *p, bool tasks)
{
    uint32_t workers = tasks ? p->workers : p->cpus;
    double limit = rule_threshold(rule, "live");
    double by_worker = rule_threshold(rule, "per-worker") * (double)workers;
    return by_worker > limit ? by_worker : limit;
}

static struct finding *finding_of(const struct rule *rule, const struct model_process *p,
                                  const struct model_site *s, bool tasks)
{
    struct finding *f = finding_create(rule, p);
    const char *many = tasks ? "tasks" : "threads";
    double rise_s = s->peak_ns > s->first_ns ? (double)(s->peak_ns - s->first_ns) / 1e9 : 0;
    f->severity = SEVERITY_ERROR;
    f->confidence = CONFIDENCE_PROBABLE;
    f->count = s->peak;
    finding_set_times(f, s->first_ns, s->last_ns);
    f->growth_per_s = rise_s > 0 ? (double)s->peak / rise_s : 0;
    finding_set_kind(f, many);
    finding_set_title(f,
                      "%" PRIu64 " %s made at one place lived at once, and nothing limited their "
                      "number",
                      s->peak, many);
    finding_set_fix(f, "Make a fixed number of workers that take the work from a bounded channel "
                       "or queue, or take a place in a semaphore before each spawn: whoever gives "
                       "work then waits when there is too much of it.");
    finding_add_stack(f, "created at", s->stack, true, NULL);
    finding_add_evidence(f, "run",
                         "%" PRIu64 " were alive out of one run of spawns in which the "
                         "spawner waited for none of them",
                         longest_run(s));
    if (s->backpressure > 0)
        finding_add_evidence(f, "back-pressure",
                             "the spawner waited %" PRIu64 " times for one of "
                             "them, at most when %" PRIu64 " were alive",
                             s->backpressure, s->backpressure_live);
    finding_add_evidence(
        f, "made", "%" PRIu64 " in all, the peak %s after the first", s->count,
        words_duration(s->peak_ns > s->first_ns ? s->peak_ns - s->first_ns : 0).text);
    finding_add_cost(f, tasks ? "tasks alive at once" : "threads alive at once", (double)s->peak,
                     many);
    if (s->bytes > 0)
        finding_add_cost(f, "stack reserved at the peak",
                         (double)s->bytes / (double)s->count * (double)s->peak, "bytes");
    return f;
}

/* Half of the most and more wait for what nobody will do. */
static bool never_end(const struct waiters *all, const struct model_site *s)
{
    size_t n = 0;
    for (size_t i = 0; i < all->n; i++)
        n += all->items[i].cause != WAITER_FINE && all->items[i].actor->created_stack == s->stack &&
             model_is_task(all->items[i].actor->id) == (s->kind == EL_SITE_TASK);
    return 2 * n >= s->peak;
}

static bool is_unbounded(const struct rule *rule, const struct model_process *p,
                         const struct model_site *s)
{
    if (s->kind != EL_SITE_TASK && s->kind != EL_SITE_THREAD)
        return false;
    return (double)longest_run(s) >= limit_of(rule, p, s->kind == EL_SITE_TASK) &&
           !is_bounded(rule, s) && blocked_of_spawn(p, s) == NULL && !recursion_runs_away(p, s);
}

static void judge(const struct rule *rule, const struct model_process *p, struct findings *out)
{
    struct waiters all = {0};
    bool judged = false;
    for (size_t i = 0; i < p->nsites; i++) {
        const struct model_site *s = &p->sites[i];
        if (!is_unbounded(rule, p, s))
            continue;
        if (!judged)
            all = waiters_judge(p, (uint64_t)(WAITERS_LOCK_AGE_S * 1e9), WAITERS_SHUTDOWN_SHARE);
        judged = true;
        if (!never_end(&all, s))
            findings_add(out, finding_of(rule, p, s, s->kind == EL_SITE_TASK));
    }
    waiters_finish(&all);
}

const struct rule rule_unbounded_spawn = {
    .id = "unbounded-spawn",
    .title_one = "unbounded spawn",
    .title_many = "unbounded spawns",
    .summary = "Places that make tasks or threads without a bound, faster than these end.",
    .severity = SEVERITY_ERROR,
    .thresholds = thresholds,
    .judge = judge,
};
