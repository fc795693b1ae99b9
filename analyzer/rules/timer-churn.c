/*
 * timer-churn.c - one place makes timers by the thousand, and nearly all are given up before they
 * fire: a time limit that is made anew for each message. Timers that go on for nobody are the
 * matter of unstopped-ticker.
 */
#include <inttypes.h>

#include "analyzer/rules/rule.h"
#include "analyzer/rules/words.h"

static struct rule_threshold thresholds[] = {
    {"rate", 1000, 1000, "timers/s", "made at one place within some second"},
    {"abandoned", 0.9, 0.9, "of all", "share of them that was given up before it fired"},
    {"armed", 1000, 1000, "timers", "there at once: they heap up, and it is an error"},
    {0},
};

static bool is_timer(enum el_object_kind kind)
{
    return kind >= EL_OBJ_TIMER && kind <= EL_OBJ_TIMERFD;
}

static double share_lost(const struct model_outcome *o)
{
    return (double)o->lost / (double)o->made;
}

static const char *fix_of(enum el_object_kind kind)
{
    switch (kind) {
    case EL_OBJ_POSIX_TIMER:
        return "Make the timer once, before the loop, and set it again with timer_settime.";
    case EL_OBJ_TIMERFD:
        return "Make the timerfd once, before the loop, and set it again with timerfd_settime.";
    default:
        return "Make one timer before the loop and set it again on each turn (weft_timer_reset), "
               "or give the wait itself a time limit (the last argument of weft_select).";
    }
}

static struct finding *finding_of(const struct rule *rule, const struct model_process *p,
                                  const struct model_outcome *o)
{
    struct finding *f = finding_create(rule, p);
    const char *kind = el_object_kind_word(o->kind);
    bool heap_up = (double)o->peak >= rule_threshold(rule, "armed");
    f->severity = heap_up ? SEVERITY_ERROR : SEVERITY_WARNING;
    f->confidence = CONFIDENCE_PROVEN;
    f->count = o->made;
    finding_set_times(f, o->first_ns, o->last_ns);
    finding_set_kind(f, kind);
    finding_set_title(f,
                      "%" PRIu64 " %ss were made at one place, and %.0f %% of them given up before "
                      "they fired",
                      o->made, words_plain(kind), 100 * share_lost(o));
    finding_set_fix(f, "%s", fix_of(o->kind));
    finding_add_stack(f, "created at", o->stack, true, NULL);
    finding_add_stack(f, "given up at", o->lost_stack, false, "the last of them");
    finding_add_evidence(f, "rate", "up to %" PRIu64 " were made within a second", o->burst);
    if (heap_up)
        finding_add_evidence(
            f, "peak", "each stays armed until its time comes: %" PRIu64 " were there at once",
            o->peak);
    else
        finding_add_evidence(f, "peak",
                             "at most %" PRIu64 " %s there at once: the cost is that of "
                             "making them",
                             o->peak, o->peak == 1 ? "was" : "were");
    finding_add_cost(f, "timers made", (double)o->made, "timers");
    finding_add_cost(f, "timers there at once", (double)o->peak, "timers");
    if (o->bytes != 0)
        finding_add_cost(f, "memory for all of them", (double)o->bytes, "bytes");
    return f;
}

static void judge(const struct rule *rule, const struct model_process *p, struct findings *out)
{
    for (size_t i = 0; i < p->noutcomes; i++) {
        const struct model_outcome *o = &p->outcomes[i];
        if (is_timer(o->kind) && o->made != 0 && (double)o->burst >= rule_threshold(rule, "rate") &&
            share_lost(o) >= rule_threshold(rule, "abandoned"))
            findings_add(out, finding_of(rule, p, o));
    }
}

const struct rule rule_timer_churn = {
    .id = "timer-churn",
    .title_one = "timer churn",
    .title_many = "timer churns",
    .summary = "Timers made by the thousand at one place and given up before they fire.",
    .severity = SEVERITY_ERROR,
    .thresholds = thresholds,
    .judge = judge,
};
