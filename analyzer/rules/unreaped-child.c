/*
 * unreaped-child.c - child processes that have ended and that nobody waits for: the kernel keeps
 * each of them until its parent asks what became of it, and the parent never does. Those that are
 * all waited for later, or that ended while no other was made, are not its matter.
 */
#include <inttypes.h>

#include "analyzer/rules/rule.h"
#include "analyzer/rules/words.h"

static struct rule_threshold thresholds[] = {
    {"least", 16, 16, "children", "of one place, each ended before another was made"},
    {0},
};

static struct finding *finding_of(const struct rule *rule, const struct model_process *p,
                                  const struct model_site *s)
{
    struct finding *f = finding_create(rule, p);
    /* Who was killed may have been about to wait for all of them. */
    f->confidence = p->exited ? CONFIDENCE_PROVEN : CONFIDENCE_PROBABLE;
    f->count = s->live;
    finding_set_times(f, s->first_ns, s->last_ns);
    finding_set_growth(f, s->live);
    finding_set_kind(f, "child process");
    finding_set_title(f,
                      "%" PRIu64 " child processes made at one place ended and were never "
                      "waited for",
                      s->live);
    finding_set_fix(f, "Wait for each: waitpid where its end matters, or in a handler of SIGCHLD "
                       "in a loop with WNOHANG until none is left. If nobody cares how they end, "
                       "set SIGCHLD to SIG_IGN before the first: the kernel keeps none then.");
    finding_add_stack(f, "made at", s->stack, true, NULL);
    finding_add_evidence(f, "made", "%s in all, at most %" PRIu64 " left behind at once",
                         words_count(s->count, "child", "children").text, s->peak);
    finding_add_evidence(f, "age",
                         "each had ended before another was made; the oldest was left "
                         "for %s",
                         words_duration(s->max_ns).text);
    finding_add_cost(f, "processes left behind", (double)s->live, "processes");
    finding_add_cost(f, "kept by the kernel, over all", (double)s->total_ns, "ns");
    return f;
}

static void judge(const struct rule *rule, const struct model_process *p, struct findings *out)
{
    for (size_t i = 0; i < p->nsites; i++) {
        const struct model_site *s = &p->sites[i];
        if (s->kind == EL_SITE_CHILD && (double)s->live >= rule_threshold(rule, "least"))
            findings_add(out, finding_of(rule, p, s));
    }
}

const struct rule rule_unreaped_child = {
    .id = "unreaped-child",
    .title_one = "unreaped child process",
    .title_many = "unreaped child processes",
    .summary = "Child processes that ended and that nobody ever waits for.",
    .severity = SEVERITY_WARNING,
    .thresholds = thresholds,
    .judge = judge,
};
