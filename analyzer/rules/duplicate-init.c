/*
 * duplicate-init.c - one resource that several made at once, of which one is used and the others
 * are forgotten: a lazy initialisation that is not protected. Judges what the record says of
 * descriptors (a connection, a file); memory that is built twice is not seen.
 */
#include <inttypes.h>

#include "analyzer/rules/rule.h"
#include "analyzer/rules/words.h"

static struct rule_threshold thresholds[] = {
    {"duplicates", 1, 1, "descriptors", "of one place, opened for nothing"},
    {0},
};

static struct finding *finding_of(const struct rule *rule, const struct model_process *p,
                                  const struct model_outcome *o)
{
    struct finding *f = finding_create(rule, p);
    const char *what = el_fd_kind_word(o->how);
    uint64_t left = o->lost - o->gone;
    f->severity = SEVERITY_ERROR;
    f->confidence = CONFIDENCE_PROBABLE;
    f->count = o->lost;
    finding_set_times(f, o->first_ns, o->last_ns);
    finding_set_kind(f, what);
    finding_set_title(f,
                      "one resource (%s) was opened %" PRIu64 " times at once, and %" PRIu64
                      " of them for nothing",
                      what, o->made, o->lost);
    finding_set_fix(f,
                    "Make it once for all (%s), or check and make it under one lock. Where there "
                    "is one for each key, let the first who asks for a key make it, and the others "
                    "wait for that%s.",
                    p->workers > 0 ? "weft_once_do" : "pthread_once, call_once",
                    p->workers > 0 ? " (weft_flight_do)" : "");
    finding_add_stack(f, "opened at", o->stack, true, NULL);
    finding_add_evidence(f, "use",
                         "%" PRIu64 " who had opened one went on with that of another, "
                         "and never used their own again",
                         o->lost);
    finding_add_evidence(f, "window",
                         "%" PRIu64 " were opened within %s, before any of them was "
                         "shared",
                         o->made, words_duration(o->lost_ns).text);
    finding_add_cost(f, "opened for nothing", (double)o->lost, "descriptors");
    if (left != 0)
        finding_add_cost(f, "of these never closed", (double)left, "descriptors");
    return f;
}

static void judge(const struct rule *rule, const struct model_process *p, struct findings *out)
{
    for (size_t i = 0; i < p->noutcomes; i++) {
        const struct model_outcome *o = &p->outcomes[i];
        if (o->kind == EL_OBJ_ONCE && o->lost != 0 && o->gone <= o->lost &&
            (double)o->lost >= rule_threshold(rule, "duplicates"))
            findings_add(out, finding_of(rule, p, o));
    }
}

const struct rule rule_duplicate_init = {
    .id = "duplicate-init",
    .title_one = "duplicate initialisation",
    .title_many = "duplicate initialisations",
    .summary = "One resource made by several at once, of which all but one are forgotten.",
    .severity = SEVERITY_ERROR,
    .thresholds = thresholds,
    .judge = judge,
};
