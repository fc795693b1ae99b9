/*
 * choose.c - see choose.h.
 */
#include "analyzer/gate/choose.h"

#include <math.h>

#include "analyzer/model/memory.h"
#include "analyzer/rules/rule.h"

#define WORD_MAX 64

void choose_all(struct chosen_rules *c)
{
    *c = (struct chosen_rules){0};
    while (rules_all[c->n])
        c->n++;
    c->enabled = xcalloc(c->n, sizeof(*c->enabled));
    for (size_t i = 0; i < c->n; i++)
        c->enabled[i] = true;
}

void choose_clear(struct chosen_rules *c)
{
    free(c->enabled);
    *c = (struct chosen_rules){0};
}

/* Edits (insert, remove, replace) that make one word of the other. */
static size_t distance(const char *a, const char *b)
{
    size_t row[WORD_MAX + 1], n = strlen(b);
    if (n > WORD_MAX)
        return WORD_MAX;
    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1]; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            size_t replace = diagonal + (a[i - 1] != b[j - 1]);
            size_t other = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            diagonal = row[j];
            row[j] = replace < other ? replace : other;
        }
    }
    return row[n];
}

const char *choose_nearest(const char *word, const char *const *words)
{
    const char *best = NULL;
    size_t best_distance = strlen(word) / 3 + 1; /* further away, it is another word */
    for (; *words; words++) {
        size_t d = distance(word, *words);
        if (d <= best_distance && (!best || d < best_distance)) {
            best = *words;
            best_distance = d;
        }
    }
    return best;
}

char *choose_unknown_rule(const char *id)
{
    size_t n = 0;
    while (rules_all[n])
        n++;
    const char **ids = xcalloc(n + 1, sizeof(*ids));
    for (size_t i = 0; i < n; i++)
        ids[i] = rules_all[i]->id;
    const char *near = choose_nearest(id, ids);
    char *list = xstrdup(n ? ids[0] : ""), *message;
    for (size_t i = 1; i < n; i++) {
        char *longer = xasprintf("%s, %s", list, ids[i]);
        free(list);
        list = longer;
    }
    if (near)
        message = xasprintf("unknown rule \"%s\"; did you mean \"%s\"?", id, near);
    else
        message = xasprintf("unknown rule \"%s\"; there are %s (see `loiter explain`)", id, list);
    free(list);
    free(ids);
    return message;
}

static char *set_listed(struct chosen_rules *c, const char *list, bool value)
{
    char *copy = xstrdup(list), *rest = copy, *id, *error = NULL;
    while (!error && (id = strsep(&rest, ","))) {
        size_t i = 0;
        while (i < c->n && strcmp(rules_all[i]->id, id) != 0)
            i++;
        if (i == c->n)
            error = choose_unknown_rule(id);
        else
            c->enabled[i] = value;
    }
    free(copy);
    return error;
}

char *choose_only(struct chosen_rules *c, const char *list)
{
    if (!c->only)
        for (size_t i = 0; i < c->n; i++)
            c->enabled[i] = false;
    c->only = true;
    return set_listed(c, list, true);
}

char *choose_disable(struct chosen_rules *c, const char *list)
{
    return set_listed(c, list, false);
}

static char *unknown_threshold(const struct rule *rule, const char *name)
{
    size_t n = 0;
    const struct rule_threshold *t = rule->thresholds;
    while (t && t[n].name)
        n++;
    const char **names = xcalloc(n + 1, sizeof(*names));
    for (size_t i = 0; i < n; i++)
        names[i] = t[i].name;
    const char *near = choose_nearest(name, names);
    free(names);
    if (near)
        return xasprintf("rule %s has no threshold \"%s\"; did you mean \"%s\"?", rule->id, name,
                         near);
    return xasprintf("rule %s has no threshold \"%s\"; `loiter explain %s` lists them", rule->id,
                     name, rule->id);
}

char *choose_set(const char *assignment)
{
    const char *dot = strchr(assignment, '.'), *equals = strchr(assignment, '=');
    if (!dot || !equals || dot > equals)
        return xasprintf("expected RULE.NAME=VALUE: \"%s\"", assignment);
    char *id = xstrndup(assignment, (size_t)(dot - assignment));
    char *name = xstrndup(dot + 1, (size_t)(equals - dot - 1));
    char *end, *error = NULL;
    double value = strtod(equals + 1, &end);
    const struct rule *rule = rule_find(id);
    if (!rule)
        error = choose_unknown_rule(id);
    else if (end == equals + 1 || *end || !isfinite(value) || value < 0)
        error = xasprintf("expected a number that is not negative: \"%s\"", assignment);
    else if (rule_set_threshold(rule, name, value) != 0)
        error = unknown_threshold(rule, name);
    free(id);
    free(name);
    return error;
}
