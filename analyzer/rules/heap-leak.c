/*
 * heap-leak.c - blocks of memory that nothing in the process pointed to at its end, or at the last
 * mark before it, so that nothing could have used or freed them. What was not freed but could still
 * be reached is no leak.
 */
#include <inttypes.h>

#include "analyzer/rules/rule.h"
#include "analyzer/rules/words.h"

static struct rule_threshold thresholds[] = {
    {"bytes", 1, 1, "bytes", "lost at one place, where each block is looked at (--heap=full)"},
    {"sampled-bytes", 1048576, 1048576, "bytes", "estimated so, where samples are"},
    {"sampled-blocks", 3, 3, "samples", "and seen to be lost, unless each stands for itself alone"},
    {0},
};

/* Of el_heap_site: lost by itself, through another, one for each ring. */
enum { DIRECT, INDIRECT, RING };

struct lost {
    uint64_t blocks, bytes;
    bool ring; /* none of them is lost by itself */
};

/* What the finding of the place is about: what hangs on lost blocks goes when these are mended. */
static struct lost lost_at(const struct model_heap_site *s)
{
    bool ring = s->leaked_blocks[DIRECT] == 0;
    return (struct lost){s->leaked_blocks[ring ? RING : DIRECT],
                         s->leaked_bytes[ring ? RING : DIRECT], ring};
}

/* Samples are enough when they are several, or large ones that stand for hardly more than
 * themselves. */
static bool is_enough(const struct rule *rule, const struct model_process *p,
                      const struct model_heap_site *s, const struct lost *lost)
{
    if (p->heap.full)
        return (double)lost->bytes >= rule_threshold(rule, "bytes");
    return (double)lost->bytes >= rule_threshold(rule, "sampled-bytes") &&
           ((double)s->leaked_samples >= rule_threshold(rule, "sampled-blocks") ||
            lost->blocks <= s->leaked_samples);
}

static uint64_t lost_through_others(const struct model_process *p)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < p->nheap_sites; i++)
        bytes += p->heap_sites[i].leaked_bytes[INDIRECT];
    return bytes;
}

static void add_evidence(struct finding *f, const struct model_process *p,
                         const struct model_heap_site *s, const struct lost *lost)
{
    uint64_t through = lost_through_others(p);
    if (lost->ring)
        finding_add_evidence(f, "ring",
                             "each is one of a ring of blocks that point to each other, and that "
                             "nothing else points to");
    if (through > 0)
        finding_add_evidence(f, "beyond",
                             "%s more of this process can be reached only through "
                             "blocks that are lost",
                             words_bytes((double)through).text);
    finding_add_evidence(f, "made", "%s (%s) in all, of which %" PRIu64 " were freed",
                         words_count(s->blocks, "block", "blocks").text,
                         words_bytes((double)s->bytes).text, s->freed_blocks);
    if (!p->heap.full)
        finding_add_evidence(f, "samples",
                             "estimated from %" PRIu64 " blocks that were looked at; --heap=full "
                             "looks at each",
                             s->leaked_samples);
    if (!p->heap.exact_roots)
        finding_add_evidence(f, "allocator",
                             "it is not the C library's: where its blocks end is "
                             "not known exactly");
}

static struct finding *finding_of(const struct rule *rule, const struct model_process *p,
                                  const struct model_heap_site *s, const struct lost *lost)
{
    struct finding *f = finding_create(rule, p);
    double seconds = (double)(s->leaked_last_ns - s->leaked_first_ns) / 1e9;
    f->severity = p->heap.full ? SEVERITY_ERROR : SEVERITY_WARNING;
    f->confidence = p->heap.exact_roots ? CONFIDENCE_PROVEN : CONFIDENCE_PROBABLE;
    f->count = lost->blocks;
    finding_set_times(f, s->leaked_first_ns, s->leaked_last_ns);
    f->growth_per_s = lost->blocks > 1 && seconds > 0 ? (double)lost->blocks / seconds : 0;
    finding_set_kind(f, lost->ring ? "ring" : "block");
    const char *mark = p->heap.scanned_at_mark ? model_find_mark(p, p->heap.scanned_ns) : NULL;
    finding_set_title(f, "%s%s of memory %s lost: at the %s%s nothing pointed to %s",
                      p->heap.full ? "" : "about ",
                      words_count(lost->blocks, "block", "blocks").text,
                      lost->blocks == 1 ? "was" : "were", mark != NULL ? "mark " : "end",
                      mark != NULL ? mark : "", lost->blocks == 1 ? "it" : "them");
    finding_set_fix(f, "Free the block on every way out of its last user, error paths included; or "
                       "keep the pointer where the owner frees it. If it is meant to live as long "
                       "as the process, keep it in a variable of static storage.");
    finding_add_stack(f, "allocated at", s->stack, true, NULL);
    add_evidence(f, p, s, lost);
    finding_add_cost(f, "memory lost", (double)lost->bytes, "bytes");
    finding_add_cost(f, "blocks lost", (double)lost->blocks, "blocks");
    return f;
}

static void judge(const struct rule *rule, const struct model_process *p, struct findings *out)
{
    for (size_t i = 0; p->heap.scanned && i < p->nheap_sites; i++) {
        const struct model_heap_site *s = &p->heap_sites[i];
        struct lost lost = lost_at(s);
        if (lost.blocks > 0 && is_enough(rule, p, s, &lost))
            findings_add(out, finding_of(rule, p, s, &lost));
    }
}

const struct rule rule_heap_leak = {
    .id = "heap-leak",
    .title_one = "heap leak",
    .title_many = "heap leaks",
    .summary = "Blocks of memory that nothing in the process points to any more.",
    .severity = SEVERITY_ERROR,
    .thresholds = thresholds,
    .judge = judge,
};
