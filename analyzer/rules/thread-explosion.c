/*
 * thread-explosion.c - blocking calls that hold OS threads by the hundred. Threads that wait inside
 * the program, and servers that wait for work, are not its matter.
 */
#include <inttypes.h>

#include "analyzer/rules/blocked.h"
#include "analyzer/rules/rule.h"
#include "analyzer/rules/words.h"

static struct rule_threshold thresholds[] = {
    {"threads", 64, 64, "threads", "more than this were held at once"},
    {"per-core", 4, 4, "for each processor", "and more than this for each processor"},
    {"call", 1, 1, "ms", "the calls are as long as this on average"},
    {"unbounded", 1000, 1000, "tasks or threads",
     "alive at once where these are made: no bound at all, an error"},
    {"limit-rise", 0.1, 0.1, "of what lived then",
     "plain threads: no more than this above the number at which their maker was held back, there "
     "is a limit"},
    {0},
};

static double limit_of(const struct rule *rule, const struct model_process *p)
{
    double by_core = rule_threshold(rule, "per-core") * p->cpus;
    double least = rule_threshold(rule, "threads");
    return by_core > least ? by_core : least;
}

/* Whoever makes the threads waits for one of them to end when there are so many. */
static bool has_limit(const struct rule *rule, const struct model_process *p,
                      const struct model_site *s)
{
    const struct model_site *spawn = model_find_site(p, EL_SITE_THREAD, s->stack);
    return spawn != NULL && spawn->backpressure > 0 && spawn->count > spawn->peak &&
           (double)spawn->peak <=
               (double)spawn->backpressure_live * (1 + rule_threshold(rule, "limit-rise"));
}

static enum severity severity_of(const struct rule *rule, const struct model_process *p,
                                 const struct model_site *s, bool threads)
{
    const struct model_site *spawn = threads ? model_find_site(p, EL_SITE_THREAD, s->stack)
                                             : model_find_site(p, EL_SITE_TASK, s->stack2);
    bool many = spawn != NULL && (double)spawn->peak >= rule_threshold(rule, "unbounded");
    return many ? SEVERITY_ERROR : SEVERITY_WARNING;
}

static struct finding *finding_of(const struct rule *rule, const struct model_process *p,
                                  const struct model_site *s)
{
    struct finding *f = finding_create(rule, p);
    bool threads = blocked_are_threads(p, s);
    f->severity = severity_of(rule, p, s, threads);
    f->confidence = CONFIDENCE_PROVEN;
    f->count = s->peak;
    finding_set_times(f, s->first_ns, s->last_ns);
    finding_set_kind(f, threads ? "threads" : "blocking calls");
    finding_set_title(f, "%" PRIu64 " OS threads were held in blocking calls at once", s->peak);
    if (threads)
        finding_set_fix(f, "Let a fixed number of threads make these calls and take the work from "
                           "a queue, or take a place in a semaphore before a thread is made.");
    else
        finding_set_fix(f, "Take a place in a semaphore (weft_sem) before the blocking call is "
                           "made, or before its task is; weft_options.blocking_threads sets a "
                           "bound for all. What is a socket or a pipe needs no thread: use the "
                           "runtime's own calls.");
    finding_add_stack(f, threads ? "created at" : "blocks at", s->stack, true, NULL);
    finding_add_stack(f, threads ? "blocks at" : "created at", s->stack2, false, NULL);
    finding_add_evidence(f, "calls", "%" PRIu64 " calls, %s each on average", s->count,
                         words_duration(blocked_mean_ns(p, s)).text);
    finding_add_evidence(f, "limit", "%.0f at once are taken to be enough for %s",
                         limit_of(rule, p), words_count(p->cpus, "processor", "processors").text);
    finding_add_cost(f, "threads held at once", (double)s->peak, "threads");
    if (s->bytes > 0)
        finding_add_cost(f, "stack reserved at the peak",
                         (double)s->bytes / (double)s->count * (double)s->peak, "bytes");
    return f;
}

static void judge(const struct rule *rule, const struct model_process *p, struct findings *out)
{
    uint64_t call_ns = (uint64_t)(rule_threshold(rule, "call") * 1e6);
    for (size_t i = 0; i < p->nsites; i++) {
        const struct model_site *s = &p->sites[i];
        if (s->kind == EL_SITE_BLOCKED && (double)s->peak > limit_of(rule, p) &&
            blocked_mean_ns(p, s) >= call_ns && !has_limit(rule, p, s))
            findings_add(out, finding_of(rule, p, s));
    }
}

const struct rule rule_thread_explosion = {
    .id = "thread-explosion",
    .title_one = "explosion of threads",
    .title_many = "explosions of threads",
    .summary = "Blocking calls that hold OS threads without a bound.",
    .severity = SEVERITY_WARNING,
    .thresholds = thresholds,
    .judge = judge,
};
