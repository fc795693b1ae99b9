/*
 * suppress.h - findings that somebody decided to live with.
 *
 * A file of lines:
 *
 *     RULE:PATTERN [until=YYYY-MM-DD] [# reason]
 *
 * RULE is a rule's id or `*`. PATTERN (see glob.h) is tried on the function name, the source file
 * and the module of each frame of each stack. After the day of `until` the line counts no more.
 */
#ifndef SUPPRESS_H
#define SUPPRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct finding;

struct suppression {
    char *rule, *pattern;
    char *reason; /* NULL when none is given */
    char *file;   /* where it stands */
    unsigned line;
    char until[11]; /* empty when it holds for ever */
    bool expired;
    uint64_t used; /* findings that it hid */
};

struct suppressions {
    struct suppression *items;
    size_t n;
};

/* Adds the lines of a file. `today` is YYYY-MM-DD. NULL, or a message with file, line and what was
 * expected, to be freed. */
char *suppressions_read(struct suppressions *s, const char *file, const char *today);
void suppressions_clear(struct suppressions *s);

/* The first one in force that matches, counted as used; NULL when none does. */
const struct suppression *suppressions_match(struct suppressions *s, const struct finding *f);

/* A line that would hide this finding, to be freed. */
char *suppression_for(const struct finding *f);

#endif
