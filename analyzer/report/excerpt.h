/*
 * excerpt.h - the lines of a source file around a place.
 */
#ifndef EXCERPT_H
#define EXCERPT_H

/* Called for each line, without its end; `text` is clean for a terminal. */
typedef void (*excerpt_fn)(void *arg, unsigned line, const char *text);

/* `around` lines on either side. Nothing happens when the file cannot be read, is no regular file,
 * or is shorter. */
void excerpt_read(const char *file, unsigned line, unsigned around, excerpt_fn fn, void *arg);

#endif
