/*
 * contended-lock.c - a lock for which others queue: what it protects is done by one at a time,
 * however many cores there are. Time that its holder spends in IO is the matter of
 * lock-held-across-io, locks around a counter that of hot-counter-lock.
 */
#include <inttypes.h>

#include "analyzer/rules/lock_use.h"
#include "analyzer/rules/rule.h"
#include "analyzer/rules/turns.h"
#include "analyzer/rules/words.h"

static struct rule_threshold thresholds[] = {
    {"waiting", 0.01, 0.01, "of the run", "waited for one lock in all"},
    {"queue", 0.5, 0.5, "waiting", "so many wait for it at any time, on average: it is said so"},
    {"waits", 10, 10, "waits", "fewer are single events"},
    {"busy", 0.05, 0.05, "of the run",
     "held; less is a holder that lost its processor now and then"},
    {"held", 0.01, 0.01, "s", "held so long in all: a run of some milliseconds shows nothing"},
    {"counter", 100000, 100000, "times", "taken so often, and held for less than"},
    {"counter-held", 200, 200, "ns", "this at the median, it is hot-counter-lock's matter"},
    {"one-sided", 0.9, 0.9, "of the waits", "for reading, or for writing: what the lock is for"},
    {0},
};

/* A mutex does not say what it is for; a reader-writer lock shows who waits. */
static const char *fix_of(const struct rule *rule, const struct model_process *p,
                          const struct lock_use *use)
{
    double all = (double)(use->reading + use->writing);
    double least = rule_threshold(rule, "one-sided");
    if (use->lock->kind != EL_OBJ_RWLOCK || all == 0)
        return p->workers > 0
                   ? "Hold it for less: compute before, and only put in place under it. If most "
                     "only read, let them read without it: a table that is replaced as a whole, "
                     "or a concurrent map (weft_cmap). If each mostly works on keys of its own, "
                     "give parts of the keys locks of their own."
                   : "Hold it for less: compute before, and only put in place under it. If most "
                     "only read, let them read without it: a table that is replaced as a whole. "
                     "If each mostly works on keys of its own, give parts of the keys locks of "
                     "their own.";
    if ((double)use->writing / all >= least)
        return "Those that wait want to write: that some may read beside each other does not help "
               "them. Give parts of what it protects locks of their own, or let one thread or "
               "task own it and take the changes from a channel.";
    if ((double)use->reading / all >= least)
        return "Those that wait only read: let them read without it, a table that is replaced as a "
               "whole or a concurrent map, and hold it for less where it is written.";
    return "Readers and writers wait for each other: hold it for less, or give parts of what it "
           "protects locks of their own.";
}

static struct finding *finding_of(const struct rule *rule, const struct model_process *p,
                                  const struct lock_use *use)
{
    struct finding *f = finding_create(rule, p);
    double waiting = lock_use_waiting(p, use);
    const char *lock = el_object_kind_word(use->lock->kind);
    if (waiting >= rule_threshold(rule, "queue"))
        finding_set_title(f,
                          "on average %.1f wait for one %s: what it protects is done by one at a "
                          "time",
                          waiting, lock);
    else
        finding_set_title(f, "one %s was waited for during %.0f %% of the run", lock,
                          100 * waiting);
    finding_set_fix(f, "%s", fix_of(rule, p, use));
    lock_use_describe(use, f);
    if (use->lock->kind == EL_OBJ_RWLOCK)
        finding_add_evidence(
            f, "use", "%" PRIu64 " of the recorded waits are for reading, %" PRIu64 " for writing",
            use->reading, use->writing);
    return f;
}

static bool is_counter(const struct rule *rule, const struct model_process *p,
                       const struct lock_use *use)
{
    return (double)use->taken >= rule_threshold(rule, "counter") &&
           (double)model_spread_quantile(&use->held, 0.5) <
               lock_use_brief(p, rule_threshold(rule, "counter-held"));
}

static bool is_contended(const struct rule *rule, const struct model_process *p,
                         const struct lock_use *use)
{
    return (double)use->waits >= rule_threshold(rule, "waits") &&
           lock_use_waiting(p, use) >= rule_threshold(rule, "waiting") &&
           use->waited_ns >= use->lock->wait_io_ns &&
           lock_use_held(use) / 1e9 >= rule_threshold(rule, "held") &&
           lock_use_busy(p, use) >= rule_threshold(rule, "busy") && !is_counter(rule, p, use) &&
           !turns_lock(p, use->lock->address);
}

static void judge(const struct rule *rule, const struct model_process *p, struct findings *out)
{
    for (size_t i = 0; i < p->nobjects; i++) {
        struct lock_use use;
        if (lock_use_get(p, &p->objects[i], &use) && is_contended(rule, p, &use))
            findings_add(out, finding_of(rule, p, &use));
    }
}

const struct rule rule_contended_lock = {
    .id = "contended-lock",
    .title_one = "contended lock",
    .title_many = "contended locks",
    .summary = "Locks for which others queue, and what they wait.",
    .severity = SEVERITY_WARNING,
    .thresholds = thresholds,
    .judge = judge,
};
