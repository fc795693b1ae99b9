/*
 * hot-counter-lock.c - a lock that is held for no more than an instruction or two, and waited for
 * again and again: what it protects is a counter or a flag, and an atomic would do. Locks that are
 * held for longer are the matter of contended-lock.
 */
#include <inttypes.h>

#include "analyzer/rules/lock_use.h"
#include "analyzer/rules/rule.h"
#include "analyzer/rules/words.h"

static struct rule_threshold thresholds[] = {
    {"acquisitions", 100000, 100000, "times", "taken so often where it was waited for"},
    {"held", 200, 200, "ns", "held for less than this at the median"},
    {"waiting", 0.01, 0.01, "of the run", "waited for it in all"},
    {"waits", 10, 10, "waits", "fewer are single events"},
    {0},
};

static struct finding *finding_of(const struct rule *rule, const struct model_process *p,
                                  const struct lock_use *use)
{
    struct finding *f = finding_create(rule, p);
    uint64_t held = model_spread_quantile(&use->held, 0.5);
    finding_set_title(f, "%s is held for %s and waited for %" PRIu64 " times, %s each",
                      words_a(el_object_kind_word(use->lock->kind)).text, words_duration(held).text,
                      use->waits, words_duration(use->waited_ns / use->waits).text);
    finding_set_fix(f, "Let an atomic operation do what is done under it (atomic_fetch_add for a "
                       "counter, atomic_store for a flag), or count for each thread or task by "
                       "itself and add up when somebody asks.");
    lock_use_describe(use, f);
    finding_add_evidence(f, "queue", "on average %.1f wait for it at any time",
                         lock_use_waiting(p, use));
    finding_add_cost(f, "lost at each acquisition", (double)use->waited_ns / (double)use->taken,
                     "ns");
    return f;
}

static bool is_hot(const struct rule *rule, const struct model_process *p,
                   const struct lock_use *use)
{
    return (double)use->taken >= rule_threshold(rule, "acquisitions") &&
           (double)model_spread_quantile(&use->held, 0.5) <
               lock_use_brief(p, rule_threshold(rule, "held")) &&
           (double)use->waits >= rule_threshold(rule, "waits") &&
           lock_use_waiting(p, use) >= rule_threshold(rule, "waiting");
}

static void judge(const struct rule *rule, const struct model_process *p, struct findings *out)
{
    for (size_t i = 0; i < p->nobjects; i++) {
        struct lock_use use;
        if (lock_use_get(p, &p->objects[i], &use) && is_hot(rule, p, &use))
            findings_add(out, finding_of(rule, p, &use));
    }
}

const struct rule rule_hot_counter_lock = {
    .id = "hot-counter-lock",
    .title_one = "lock around a counter",
    .title_many = "locks around counters",
    .summary = "Locks that are held for an instruction or two and waited for again and again.",
    .severity = SEVERITY_WARNING,
    .thresholds = thresholds,
    .judge = judge,
};
