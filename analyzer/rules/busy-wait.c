/*
 * busy-wait.c - loops that ask again and again whether something has happened, by yields, tries,
 * polls or short sleeps, instead of waiting for it. A spin that is short, or that has something to
 * do between, is not its matter.
 */
#include <inttypes.h>

#include "analyzer/rules/rule.h"
#include "analyzer/rules/words.h"

static struct rule_threshold thresholds[] = {
    {"calls", 10000, 10000, "calls", "in a row by one task or thread, which did not wait between"},
    {"naps", 5000, 5000, "calls",
     "in a row, where the calls are short sleeps or timed waits, accepts or connects that fail, "
     "polls that find what nobody writes or takes, or reads at the end"},
    {"burned", 0.02, 0.02, "s", "processor time went into them, over all such rows of the place"},
    {0},
};

static const char *fix_of(enum el_spin_kind kind)
{
    switch (kind) {
    case EL_SPIN_NO_FD:
        return "Do not wait for the listener while no descriptor is left: close what is idle, or "
               "take it out of the poll until one was closed. A descriptor in reserve lets the "
               "connection be accepted and closed.";
    case EL_SPIN_REFUSED:
        return "Wait longer from try to try, up to a limit, or be told when the other side is "
               "there.";
    case EL_SPIN_WRITABLE:
        return "Ask whether one may write only while there is something to write: take EPOLLOUT or "
               "POLLOUT out of what is waited for when all is written, or let it be told once "
               "(EPOLLET).";
    case EL_SPIN_UNTAKEN:
        return "Take what the poll tells of: read it, or take the descriptor out of what is waited "
               "for. POLLHUP and POLLERR are told whether one asks for them or not: after either, "
               "close it.";
    case EL_SPIN_END:
        return "A read of 0 bytes is the end: close the descriptor, or take it out of what is "
               "waited for.";
    default:
        return "Wait for it: receive from a channel, wait on a condition or semaphore, give the "
               "select no default and the poll a time limit. Where a short spin is meant, bound "
               "it, and wait after that.";
    }
}

static struct finding *finding_of(const struct rule *rule, const struct model_process *p,
                                  const struct model_spin *s)
{
    struct finding *f = finding_create(rule, p);
    double lasted = s->last_ns > s->first_ns ? (double)(s->last_ns - s->first_ns) : 0;
    f->confidence = CONFIDENCE_PROVEN;
    f->count = s->count;
    finding_set_times(f, s->first_ns, s->last_ns);
    finding_set_kind(f, el_spin_kind_word(s->kind));
    finding_set_title(f, "a loop waits by asking again and again: %" PRIu64 " %s in a row",
                      s->longest, el_spin_kind_word(s->kind));
    finding_set_fix(f, "%s", fix_of(s->kind));
    finding_add_stack(f, "asks at", s->stack, true, NULL);
    finding_add_evidence(f, "calls", "%" PRIu64 " in all, made by %s, one every %s", s->count,
                         words_count(s->actors, "task or thread", "tasks or threads").text,
                         words_duration(s->between_ns).text);
    finding_add_cost(f, "processor time burned", (double)s->cpu_ns, "ns");
    if (lasted > 0)
        finding_add_cost(f, "share of a processor meanwhile", 100.0 * (double)s->cpu_ns / lasted,
                         "%");
    finding_add_cost(f, "calls", (double)s->count, "calls");
    return f;
}

static void judge(const struct rule *rule, const struct model_process *p, struct findings *out)
{
    for (size_t i = 0; i < p->nspins; i++) {
        const struct model_spin *s = &p->spins[i];
        const char *row = s->kind >= EL_SPIN_NAP ? "naps" : "calls";
        if ((double)s->longest >= rule_threshold(rule, row) &&
            (double)s->cpu_ns >= rule_threshold(rule, "burned") * 1e9)
            findings_add(out, finding_of(rule, p, s));
    }
}

const struct rule rule_busy_wait = {
    .id = "busy-wait",
    .title_one = "busy wait",
    .title_many = "busy waits",
    .summary = "Loops that ask again and again instead of waiting.",
    .severity = SEVERITY_WARNING,
    .thresholds = thresholds,
    .judge = judge,
};
