/*
 * bar.h - what counts as worse: the argument of `loiter compare --fail-on`.
 *
 *     METRIC>+10%     the median rose by more than a tenth
 *     METRIC>+3       it rose by more than 3; with a unit where it has one: +2ms, +64K
 *     METRIC>100      it is above 100 afterwards
 *     METRIC<-5%      it fell by more than a twentieth, for what is better when it is more
 *     new_errors>0    errors that were found only afterwards; new_findings: of any severity
 *
 * Blanks around each part are allowed.
 */
#ifndef BAR_H
#define BAR_H

#include <stdbool.h>
#include <stddef.h>

struct metrics;

enum bar_kind { BAR_RELATIVE, BAR_CHANGE, BAR_VALUE };

/* Metrics of the comparison itself, numbered after those of the runs. */
enum bar_extra { BAR_NEW_ERRORS, BAR_NEW_FINDINGS, BAR_EXTRAS };

struct bar {
    char *text;    /* as given */
    size_t metric; /* from the list; from its end on, an enum bar_extra */
    bool below;    /* `<` */
    enum bar_kind kind;
    double limit; /* a fraction, or in the metric's unit */
};

/* NULL, or what is wrong with the text, to be freed. */
char *bar_parse(struct bar *b, const char *text, const struct metrics *all);
void bar_clear(struct bar *b);

/* Whether these medians are beyond it. */
bool bar_is_broken(const struct bar *b, double before, double after);

#endif
