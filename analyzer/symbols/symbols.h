/*
 * symbols.h - names the frames of findings: function, file, line, inlined calls.
 *
 * Works on the machine that made the record and on others: what cannot be found, or is not the
 * file that ran, stays `module + offset`, and a note says how to get the names. Open files are
 * bounded in number; nothing is kept of a finding.
 */
#ifndef SYMBOLS_H
#define SYMBOLS_H

#include <stddef.h>

struct finding;
struct findings;
struct symbols;

/* `debug_dirs` are searched besides the system's places; copied. */
struct symbols *symbols_create(const char *const *debug_dirs, size_t ndirs);
void symbols_destroy(struct symbols *s);

/* Gives every stack of the finding its frames, in place of those that it has. */
void symbols_name(struct symbols *s, struct finding *f);
/* The same for all, and settles each. */
void symbols_name_all(struct symbols *s, struct findings *all);

/* Sentences for the report on modules whose names could not be had. Owned by `s`. */
size_t symbols_notes(const struct symbols *s, const char *const **notes);

#endif
