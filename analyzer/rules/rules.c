/* rules.c - the list of rules, their thresholds, and the loop over them. Judges nothing itself. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/rules/rule.h"

#define RULE(name) extern const struct rule rule_##name;
#include "analyzer/rules/rules.def"
#undef RULE

const struct rule *const rules_all[] = {
#define RULE(name) &rule_##name,
#include "analyzer/rules/rules.def"
#undef RULE
    NULL,
};

const struct rule *rule_find(const char *id)
{
    for (const struct rule *const *r = rules_all; *r != NULL; r++)
        if (strcmp((*r)->id, id) == 0)
            return *r;
    return NULL;
}

static struct rule_threshold *threshold_find(const struct rule *rule, const char *name)
{
    for (struct rule_threshold *t = rule->thresholds; t != NULL && t->name != NULL; t++)
        if (strcmp(t->name, name) == 0)
            return t;
    return NULL;
}

double rule_threshold(const struct rule *rule, const char *name)
{
    const struct rule_threshold *t = threshold_find(rule, name);
    if (t == NULL) {
        fprintf(stderr, "loiter: a rule asks for a threshold that it lacks: rule=%s name=%s\n",
                rule->id, name);
        abort();
    }
    return t->value;
}

int rule_set_threshold(const struct rule *rule, const char *name, double value)
{
    struct rule_threshold *t = threshold_find(rule, name);
    if (t == NULL)
        return -1;
    t->value = value;
    return 0;
}

void rules_run(const struct model *m, const bool *enabled, struct findings *out)
{
    for (size_t i = 0; i < m->nprocesses; i++)
        for (size_t r = 0; rules_all[r] != NULL; r++)
            if (enabled[r])
                rules_all[r]->judge(rules_all[r], &m->processes[i], out);
}
