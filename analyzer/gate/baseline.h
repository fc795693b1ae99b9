/*
 * baseline.h - the findings that were there already: a file kept with the program's sources.
 *
 * A finding is known by its fingerprint, which holds no line numbers, so that edits elsewhere in a
 * file do not make it a new one. The file is JSON, ordered by fingerprint, for small diffs.
 */
#ifndef BASELINE_H
#define BASELINE_H

#include <stddef.h>

struct finding;

struct baseline_entry {
    char *fingerprint, *rule, *title;
    char *function; /* of the place, for people who read the file; may be NULL */
    char *first;    /* day of its first appearance, YYYY-MM-DD */
};

struct baseline {
    struct baseline_entry *items;
    size_t n;
};

/* NULL, or a message, to be freed. `missing` (may be NULL) is set to whether there is no file. */
char *baseline_read(struct baseline *b, const char *file, int *missing);
/* Replaces the file at once, or leaves it as it was. */
char *baseline_write(struct baseline *b, const char *file);
void baseline_clear(struct baseline *b);

const struct baseline_entry *baseline_find(const struct baseline *b, const char *fingerprint);
/* Adds a copy unless the fingerprint is there. */
void baseline_add(struct baseline *b, const struct baseline_entry *entry);
/* Removes the entry at that index. */
void baseline_remove(struct baseline *b, size_t index);

/* Adds what a report in JSON lists, suppressed findings left out; `first` is given to each. */
char *baseline_read_findings(struct baseline *b, const char *file, const char *first);

#endif
