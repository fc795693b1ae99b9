/*
 * fd-accumulation.c - one place opens descriptors by the hundred that are used and then only wait
 * to be closed, all together: closes that are deferred to the end of a function with a loop in it.
 * Descriptors that are never closed are the matter of fd-leak.
 */
#include <inttypes.h>

#include "analyzer/rules/rule.h"
#include "analyzer/rules/words.h"

static struct rule_threshold thresholds[] = {
    {"open", 256, 256, "descriptors", "of one place at once, or"},
    {"of-limit", 0.25, 0.25, "of RLIMIT_NOFILE", "whichever is less"},
    {"late", 0.5, 0.5, "of the most",
     "share that waited for their close, and were closed in a row"},
    {0},
};

/* What the program waits for stays open for others to speak. */
static bool may_be_idle(uint32_t kind)
{
    return kind != EL_FD_ACCEPTED && kind != EL_FD_TIMER && kind != EL_FD_EVENT;
}

/* Copies that nobody uses tell how many there may be: who made them wanted to know that. */
static bool is_probe(const struct model_outcome *o)
{
    return o->how == EL_FD_COPY && o->items == 0;
}

static double bar(const struct rule *rule, const struct model_process *p)
{
    double most = rule_threshold(rule, "open");
    double share = rule_threshold(rule, "of-limit") * (double)p->nofile;
    return p->nofile != 0 && share < most ? share : most;
}

static bool piled_up(const struct rule *rule, const struct model_process *p,
                     const struct model_outcome *o)
{
    double late = rule_threshold(rule, "late") * (double)o->peak;
    return (double)o->peak >= bar(rule, p) && (double)o->lost >= late && (double)o->sweep >= late;
}

/* Whether it was used before it waited is seen for reads and writes, not for what the C library
 * does inside a stream; who opens a stream to read it has the data when it lies idle. */
static enum severity weigh(const struct model_outcome *o)
{
    switch (o->how) {
    case EL_FD_STREAM_IN:
    case EL_FD_DIR:
        return SEVERITY_ERROR;
    case EL_FD_FILE:
        return 2 * o->items >= o->lost ? SEVERITY_ERROR : SEVERITY_WARNING;
    default:
        return SEVERITY_WARNING; /* a pool of connections, perhaps */
    }
}

static void add_evidence(struct finding *f, const struct model_process *p,
                         const struct model_outcome *o)
{
    finding_add_evidence(f, "closing",
                         "%" PRIu64 " were closed in a row, long after their last "
                         "use, while none was opened",
                         o->sweep);
    finding_add_evidence(f, "idle", "they stayed open for %s on average",
                         words_duration(o->lost_ns / o->lost).text);
    if (p->nofile != 0)
        finding_add_evidence(f, "limit",
                             "the process may have %" PRIu64 " open (RLIMIT_NOFILE): "
                             "this is %.0f %% of it",
                             p->nofile, 100 * (double)o->peak / (double)p->nofile);
}

static struct finding *finding_of(const struct rule *rule, const struct model_process *p,
                                  const struct model_outcome *o)
{
    struct finding *f = finding_create(rule, p);
    f->severity = weigh(o);
    f->confidence = o->items != 0 ? CONFIDENCE_PROVEN : CONFIDENCE_PROBABLE;
    f->count = o->made;
    finding_set_times(f, o->first_ns, o->last_ns);
    finding_set_kind(f, el_fd_kind_word(o->how));
    finding_set_title(f,
                      "%" PRIu64 " descriptors (%s) opened at one place were open at once, most of "
                      "them no longer used",
                      o->peak, el_fd_kind_word(o->how));
    finding_set_fix(f, "Close each where its use ends: make the body of the loop a function of its "
                       "own, so that its (deferred) close runs at each turn.");
    finding_add_stack(f, "opened at", o->stack, true, NULL);
    add_evidence(f, p, o);
    finding_add_cost(f, "descriptors open at once", (double)o->peak, "descriptors");
    if (o->bytes != 0 && o->gone != 0)
        finding_add_cost(f, "buffers of that many streams",
                         (double)o->bytes / (double)o->gone * (double)o->peak, "bytes");
    return f;
}

static void judge(const struct rule *rule, const struct model_process *p, struct findings *out)
{
    for (size_t i = 0; i < p->noutcomes; i++) {
        const struct model_outcome *o = &p->outcomes[i];
        if (o->kind == EL_OBJ_FD && o->lost != 0 && may_be_idle(o->how) && !is_probe(o) &&
            piled_up(rule, p, o))
            findings_add(out, finding_of(rule, p, o));
    }
}

const struct rule rule_fd_accumulation = {
    .id = "fd-accumulation",
    .title_one = "accumulation of descriptors",
    .title_many = "accumulations of descriptors",
    .summary = "Descriptors that pile up because they are closed together, long after their use.",
    .severity = SEVERITY_ERROR,
    .thresholds = thresholds,
    .judge = judge,
};
