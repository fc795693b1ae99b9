/*
 * rule.h - what a rule is. One file a rule, one line in rules.def.
 *
 * A rule reads the model of one process and emits findings. It knows nothing of files, raw events,
 * colours, JSON or other rules.
 */
#ifndef RULE_H
#define RULE_H

#include <stdbool.h>

#include "analyzer/model/model.h"
#include "analyzer/rules/finding.h"

/* A named threshold. `value` starts as `preset` and is set by --set RULE.NAME=VALUE. */
struct rule_threshold {
    const char *name;
    double preset;
    double value;
    const char *unit;
    const char *text; /* what it means, for `explain` and the docs */
};

struct rule {
    const char *id;         /* "leaked-task" */
    const char *title_one;  /* "leaked task" */
    const char *title_many; /* "leaked tasks" */
    const char *summary;    /* one sentence */
    enum severity severity; /* the usual one; a finding may have another */
    /* The frames that all stacks of its findings share tell how the place was reached and not what
     * is wrong there: one fingerprint for all of them, a helper that each caller of it shares. */
    bool callers_aside;
    struct rule_threshold *thresholds; /* ends with a NULL name */
    void (*judge)(const struct rule *rule, const struct model_process *p, struct findings *out);
};

/* All rules, in the order of rules.def; ends with NULL. */
extern const struct rule *const rules_all[];

/* NULL when no rule has that id. */
const struct rule *rule_find(const char *id);
/* Value of a threshold; the name must exist. */
double rule_threshold(const struct rule *rule, const char *name);
/* Sets a threshold: 0, or -1 when the rule has none of that name. */
int rule_set_threshold(const struct rule *rule, const char *name, double value);

/* Runs each rule whose bit in `enabled` (indexed as rules_all) is set over each process. */
void rules_run(const struct model *m, const bool *enabled, struct findings *out);

#endif
