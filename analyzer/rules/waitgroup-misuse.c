/*
 * waitgroup-misuse.c - wait groups whose count does not follow the work: done more often than
 * added, added to while a wait is on its way, added to after the wait. A done that never comes
 * leaves somebody waiting: that is leaked-task's matter.
 */
#include <inttypes.h>

#include "analyzer/rules/rule.h"
#include "analyzer/rules/words.h"

static struct rule_threshold thresholds[] = {
    {"late", 1, 1, "wait groups", "of one place, to which work was added after the wait"},
    {0},
};

/* Somebody waited for the late work after all. */
static bool is_settled(const struct model_process *p, size_t late)
{
    for (size_t i = late + 1; i < p->nmisuses; i++)
        if (p->misuses[i].kind == EL_MISUSE_GROUP_SETTLED &&
            p->misuses[i].object == p->misuses[late].object)
            return true;
    return false;
}

static bool is_late(const struct model_process *p, size_t i)
{
    return p->misuses[i].kind == EL_MISUSE_GROUP_LATE && !is_settled(p, i);
}

static struct finding *finding_of(const struct rule *rule, const struct model_process *p,
                                  const struct model_misuse *m, uint64_t count)
{
    struct finding *f = finding_create(rule, p);
    f->confidence = CONFIDENCE_PROVEN;
    f->count = count;
    finding_set_times(f, m->at_ns, m->at_ns);
    finding_set_kind(f, el_misuse_kind_word(m->kind));
    finding_add_evidence(f, "object", "the wait group at 0x%" PRIx64 ", used by %s", m->object,
                         words_actor(p, m->actor).text);
    finding_add_cost(f, "wait groups", (double)count, "wait groups");
    return f;
}

static void late_finding(const struct rule *rule, const struct model_process *p, size_t at,
                         uint64_t count, struct findings *out)
{
    const struct model_misuse *m = &p->misuses[at];
    struct finding *f = finding_of(rule, p, m, count);
    finding_set_title(f, "work was added to a wait group after the wait that should have waited "
                         "for it");
    finding_set_fix(f, "Add before the task is made, in whoever makes it (weft_waitgroup_go does "
                       "both), not in the task: a wait that comes first finds nothing to wait "
                       "for.");
    finding_add_stack(f, "added at", m->stack, true, NULL);
    finding_add_stack(f, "waited at", m->other_stack, false, NULL);
    finding_add_evidence(f, "waiter", "%s, which had made %s before, went on without it",
                         words_actor(p, m->other).text, words_actor(p, m->actor).text);
    findings_add(out, f);
}

static void judge_late(const struct rule *rule, const struct model_process *p, struct findings *out)
{
    for (size_t i = 0; i < p->nmisuses; i++) {
        uint64_t count = 0;
        bool told = false;
        if (!is_late(p, i))
            continue;
        for (size_t k = 0; k < p->nmisuses; k++) {
            bool same = is_late(p, k) && p->misuses[k].stack == p->misuses[i].stack;
            count += same;
            told = told || (same && k < i);
        }
        if (!told && (double)count >= rule_threshold(rule, "late"))
            late_finding(rule, p, i, count, out);
    }
}

static void judge(const struct rule *rule, const struct model_process *p, struct findings *out)
{
    for (size_t i = 0; i < p->nmisuses; i++) {
        const struct model_misuse *m = &p->misuses[i];
        if (m->kind != EL_MISUSE_GROUP_NEGATIVE && m->kind != EL_MISUSE_GROUP_REUSED)
            continue;
        bool negative = m->kind == EL_MISUSE_GROUP_NEGATIVE;
        struct finding *f = finding_of(rule, p, m, 1);
        finding_set_title(f, negative ? "a wait group was done more often than it was added to"
                                      : "a wait group was added to from zero while a wait for it "
                                        "was on its way");
        finding_set_fix(f, negative ? "One done for each add: weft_waitgroup_go adds before the "
                                      "task is made and is done when it ends, however it ends."
                                    : "Let the next round of work begin when all who waited for "
                                      "the last one have returned, or take another wait group.");
        finding_add_stack(f, negative ? "done at" : "added at", m->stack, true, NULL);
        findings_add(out, f);
    }
    judge_late(rule, p, out);
}

const struct rule rule_waitgroup_misuse = {
    .id = "waitgroup-misuse",
    .title_one = "misused wait group",
    .title_many = "misused wait groups",
    .summary = "Wait groups whose count does not follow the work they stand for.",
    .severity = SEVERITY_ERROR,
    .thresholds = thresholds,
    .judge = judge,
};
