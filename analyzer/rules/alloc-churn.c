/*
 * alloc-churn.c - one place asks for blocks of one size and gives each back within a moment, at a
 * rate that shows: the same buffer is made over and over where it could be kept. Or a buffer is
 * copied into a block that is a little larger, again and again, so that what it costs goes with the
 * square of its length.
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
    {"steps", 100, 100, "blocks", "looked at that were a little larger than the one before"},
    {"beside", 16, 16, "blocks", "of those, had while the one before was there"},
    {"jump-share", 0.1, 0.1, "of the steps", "may be larger or go down"},
    {"moved", 1e9, 1e9, "bytes", "asked for by what grows a little at a time"},
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

/* ---- what grows a little at a time ---- */

/* The blocks are a few at a time: such as are kept, of sizes that go up, are nobody's copies. */
#define THERE_PART 8

static bool creeps(const struct rule *rule, const struct model_heap_site *s)
{
    return (double)s->rises >= rule_threshold(rule, "steps") &&
           (double)s->beside >= rule_threshold(rule, "beside") &&
           (double)s->jumps <= rule_threshold(rule, "jump-share") * (double)s->rises &&
           (double)s->bytes >= rule_threshold(rule, "moved") &&
           s->peak_bytes <= s->bytes / THERE_PART;
}

static struct finding *creep_finding(const struct rule *rule, const struct model_process *p,
                                     const struct model_heap_site *s)
{
    struct finding *f = finding_create(rule, p);
    f->severity = SEVERITY_WARNING;
    f->confidence = CONFIDENCE_PROBABLE;
    f->count = s->blocks;
    finding_set_times(f, s->first_ns, s->last_ns);
    finding_set_kind(f, "growing blocks");
    finding_set_title(f,
                      "a buffer of up to %s was copied about %" PRIu64
                      " times, each time into a block a little larger",
                      words_bytes((double)s->size_max).text, s->blocks);
    finding_set_fix(f, "Let it grow by a share of its size, twice as much or half as much again, "
                       "or ask once for all that it will need. A std::vector does so by itself: "
                       "reserve(size() + n) before each addition keeps it from that.");
    finding_add_stack(f, "allocated at", s->stack, true, NULL);
    finding_add_evidence(f, "steps",
                         "of the blocks looked at %" PRIu64
                         " were larger than the one before by a sixteenth at most, %" PRIu64
                         " smaller or larger by more",
                         s->rises, s->jumps);
    finding_add_evidence(f, "beside",
                         "%" PRIu64 " times the one before was there when the larger one was had",
                         s->beside);
    finding_add_cost(f, "memory moved to larger blocks", (double)s->bytes, "bytes");
    finding_add_cost(f, "calls", rate_of(s, (double)s->blocks), "1/s");
    return f;
}

static void judge(const struct rule *rule, const struct model_process *p, struct findings *out)
{
    for (size_t i = 0; i < p->nheap_sites; i++) {
        const struct model_heap_site *s = &p->heap_sites[i];
        if (churns(rule, s))
            findings_add(out, finding_of(rule, p, s));
        else if (creeps(rule, s))
            findings_add(out, creep_finding(rule, p, s));
    }
}

const struct rule rule_alloc_churn = {
    .id = "alloc-churn",
    .title_one = "churning allocation",
    .title_many = "churning allocations",
    .summary = "Blocks made and freed at one place by the hundred megabytes a second, or grown bit "
               "by bit.",
    .severity = SEVERITY_WARNING,
    .thresholds = thresholds,
    .judge = judge,
};
