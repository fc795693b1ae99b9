/*
 * oversized-capture.c - tasks that wait, each with a large block of memory of its own behind its
 * argument, which they do not write to: a request that was captured whole. What tasks share, what
 * they fill themselves, and what is gone before they wait is not its matter.
 */
#include <inttypes.h>

#include "analyzer/rules/rule.h"
#include "analyzer/rules/words.h"

static struct rule_threshold thresholds[] = {
    {"bytes", 4096, 4096, "bytes", "are held by each, on average (1024 is the least that is seen)"},
    {"held", 1048576, 1048576, "bytes", "were held at once by those that waited"},
    {"tasks", 64, 64, "tasks or threads", "waited then, by estimate"},
    {"wait", 10, 10, "ms", "each waited with it, on average"},
    {"share", 0.5, 0.5, "of those alive then", "waited with such a block"},
    {"written-share", 0.5, 0.5, "of the blocks", "fewer than this were written to"},
    {"samples", 4, 4, "tasks or threads", "of those that waited then were looked at"},
    {0},
};

static uint64_t mean(uint64_t sum, uint64_t n)
{
    return n > 0 ? sum / n : 0;
}

/* How many waited with such a block at the peak: the share of those looked at, of all. */
static uint64_t waited_at_peak(const struct model_capture *c)
{
    return c->peak_alive > 0 ? c->peak_live * c->peak_waiting / c->peak_alive : 0;
}

static bool is_large(const struct rule *rule, const struct model_capture *c)
{
    return (double)mean(c->bytes, c->holders) >= rule_threshold(rule, "bytes") &&
           (double)c->peak_bytes >= rule_threshold(rule, "held") &&
           (double)waited_at_peak(c) >= rule_threshold(rule, "tasks") &&
           (double)c->peak_waiting >= rule_threshold(rule, "samples");
}

static bool is_only_carried(const struct rule *rule, const struct model_capture *c)
{
    uint64_t compared = c->written + c->kept;
    return (double)mean(c->wait_ns, c->holders) >= rule_threshold(rule, "wait") * 1e6 &&
           (double)c->peak_waiting >= rule_threshold(rule, "share") * (double)c->peak_alive &&
           (compared == 0 ||
            (double)c->written < rule_threshold(rule, "written-share") * (double)compared);
}

static void add_evidence(struct finding *f, const struct model_capture *c, const char *many)
{
    if (c->copied > 0)
        finding_add_evidence(f, "copied", "a copy of it was made for each of them");
    if (c->nested > 0)
        finding_add_evidence(f, "behind", "a pointer in the argument leads to it");
    if (c->written + c->kept > 0)
        finding_add_evidence(f, "contents",
                             "of %" PRIu64 " that were compared, %" PRIu64
                             " were the same at the end as at the beginning",
                             c->written + c->kept, c->kept);
    finding_add_evidence(f, "peak", "about %" PRIu64 " of %" PRIu64 " %s that were alive waited",
                         waited_at_peak(c), c->peak_live, many);
    if (c->every > 1)
        finding_add_evidence(f, "measured", "%" PRIu64 " of them, one in %" PRIu64 " or so",
                             c->looked, c->every);
}

static struct finding *finding_of(const struct rule *rule, const struct model_process *p,
                                  const struct model_capture *c, const struct model_site *site)
{
    struct finding *f = finding_create(rule, p);
    const char *many = c->kind == EL_SITE_TASK ? "tasks" : "threads";
    uint64_t each = mean(c->bytes, c->holders), wait_ns = mean(c->wait_ns, c->holders);
    f->confidence = CONFIDENCE_PROBABLE;
    f->count = waited_at_peak(c);
    finding_set_times(f, site->first_ns, c->peak_ns);
    finding_set_kind(f, many);
    finding_set_title(f, "%s that wait hold about %s: %s behind the argument of each of %" PRIu64,
                      many, words_bytes((double)c->peak_bytes).text, words_bytes((double)each).text,
                      waited_at_peak(c));
    finding_set_fix(f,
                    "Give the %s a copy of the few values that it needs, and free or reuse the "
                    "rest before it waits. If it needs all of it later, wait for the turn "
                    "before the memory is taken.",
                    c->kind == EL_SITE_TASK ? "task" : "thread");
    finding_add_stack(f, "created at", c->stack, true, NULL);
    add_evidence(f, c, many);
    finding_add_cost(f, "held by those that wait, at the peak", (double)c->peak_bytes, "bytes");
    finding_add_cost(f, "held by each", (double)each, "bytes");
    finding_add_cost(f, "waited with it, each", (double)wait_ns, "ns");
    return f;
}

static void judge(const struct rule *rule, const struct model_process *p, struct findings *out)
{
    for (size_t i = 0; i < p->ncaptures; i++) {
        const struct model_capture *c = &p->captures[i];
        const struct model_site *site = model_find_site(p, c->kind, c->stack);
        if (site != NULL && is_large(rule, c) && is_only_carried(rule, c))
            findings_add(out, finding_of(rule, p, c, site));
    }
}

const struct rule rule_oversized_capture = {
    .id = "oversized-capture",
    .title_one = "oversized capture",
    .title_many = "oversized captures",
    .summary = "Tasks that wait with a large block of memory behind their argument.",
    .severity = SEVERITY_WARNING,
    .thresholds = thresholds,
    .judge = judge,
};
