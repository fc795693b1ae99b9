/*
 * choose.h - which rules run, and with what thresholds, as the command line says.
 */
#ifndef CHOOSE_H
#define CHOOSE_H

#include <stdbool.h>
#include <stddef.h>

struct chosen_rules {
    bool *enabled; /* indexed as rules_all */
    size_t n;
    bool only; /* --only was given */
};

/* All rules enabled. */
void choose_all(struct chosen_rules *c);
void choose_clear(struct chosen_rules *c);

/* Each takes the argument of its option. NULL, or a message on what is wrong with it, to be
 * freed. `list` is rules with commas between; several --only add up. */
char *choose_only(struct chosen_rules *c, const char *list);
char *choose_disable(struct chosen_rules *c, const char *list);
char *choose_set(const char *assignment); /* rule.name=value */

/* The word of `words` (ends with NULL) that `word` may have been meant to be; NULL when none is
 * near. */
const char *choose_nearest(const char *word, const char *const *words);

/* "unknown rule "x"; did you mean "y"?", to be freed. */
char *choose_unknown_rule(const char *id);

#endif
