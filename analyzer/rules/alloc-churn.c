/*
 * alloc-churn.c - one place asks for blocks of one size and gives each back within a moment, at a
 * rate that shows: the same buffer is made over and over where it could be kept.
 */
#include <inttypes.h>

#include "analyzer/rules/rule.h"
#include "analyzer/rules/words.h"

static struct rule_threshold thresholds[] = {
    {"rate", 100e6, 100e6, "bytes/s", "asked for at one place while it was in use"},
    {"bytes", 100e6, 100e6, "bytes", "asked for there in all: a second's worth"},
    {"size", 1024, 1024, "bytes", "blocks smaller than this are what allocators are quick at"},
    {"brief-share", 0.9, 0.9, "of all bytes", "lived no longer than a millisecond"},
    {"size-spread", 1.25, 1.25, "times", "between the smallest and the largest block"},
    {"samples", 32, 32, "blocks", "looked at: fewer tell too little"},
    {0},
};

/* Of el_heap_site's bins of lives: up to 10 us, 100 us, 1 ms. */
#define BRIEF_BINS 3

static double brief_share(const struct model_heap_site *s)
{
    uint64_t brief = 0;
    for (unsigned i = 0; i < BRIEF_BINS; i++)
        brief += s->life_bytes[i];
    return (double)brief / (double)s->bytes;
}

/* Bytes a second, 0 where no time passed. */
static double rate_of(const struct model_heap_site *s, double amount)
{
    return s->last_ns > s->first_ns ? amount * 1e9 / (double)(s->last_ns - s->first_ns) : 0;
}

static bool churns(const struct rule *rule, const struct model_heap_site *s)
{
    return (double)s->samples >= rule_threshold(rule, "samples") &&
           (double)s->bytes >= rule_threshold(rule, "bytes") &&
           (double)s->size_min >= rule_threshold(rule, "size") &&
           (double)s->size_max <= (double)s->size_min * rule_threshold(rule, "size-spread") &&
           rate_of(s, (double)s->bytes) >= rule_threshold(rule, "rate") &&
           brief_share(s) >= rule_threshold(rule, "brief-share");
}

static struct finding *finding_of(const struct rule *rule, const struct model_process *p,
                                  const struct model_heap_site *s)
{
    struct finding *f = finding_create(rule, p);
    f->severity = SEVERITY_WARNING;
    f->confidence = CONFIDENCE_PROVEN;
    f->count = s->blocks;
    finding_set_times(f, s->first_ns, s->last_ns);
    finding_set_kind(f, "blocks");
    finding_set_title(f,
                      "about %" PRIu64 " blocks of %s were made and given back at one place, each "
                      "within a moment",
                      s->blocks, words_bytes((double)s->size_max).text);
    finding_set_fix(f,
                    "Keep the buffer: one for each worker, or a pool%s whose reset makes it fresh "
                    "when it is taken; or hold it on the stack where its size is bounded.",
                    p->workers > 0 ? " (weft_pool_get and weft_pool_put)" : "");
    finding_add_stack(f, "allocated at", s->stack, true, NULL);
    finding_add_evidence(f, "lives", "%.0f %% of the bytes lived no longer than a millisecond",
                         100 * brief_share(s));
    finding_add_evidence(f, "at once", "at most about %s of them were there at the same time",
                         words_bytes((double)s->peak_bytes).text);
    finding_add_cost(f, "memory asked for", rate_of(s, (double)s->bytes), "bytes/s");
    finding_add_cost(f, "calls", rate_of(s, (double)s->blocks), "1/s");
    finding_add_cost(f, "memory asked for in all", (double)s->bytes, "bytes");
    return f;
}

static void judge(const struct rule *rule, const struct model_process *p, struct findings *out)
{
    for (size_t i = 0; i < p->nheap_sites; i++)
        if (churns(rule, &p->heap_sites[i]))
            findings_add(out, finding_of(rule, p, &p->heap_sites[i]));
}

const struct rule rule_alloc_churn = {
    .id = "alloc-churn",
    .title_one = "churning allocation",
    .title_many = "churning allocations",
    .summary = "Blocks of one size made and freed at one place by the hundred megabytes a second.",
    .severity = SEVERITY_WARNING,
    .thresholds = thresholds,
    .judge = judge,
};
