/*
 * glob.h - patterns with `*` (any text) and `?` (one character), over the whole text.
 *
 * Not fnmatch: in names of functions, brackets and backslashes stand for themselves.
 */
#ifndef GLOB_PATTERN_H
#define GLOB_PATTERN_H

#include <stdbool.h>

bool glob_match(const char *pattern, const char *text);

/* The pattern matches the path, or its end after a slash: `src/x.c` and `x.c` match `/a/src/x.c`.
 */
bool glob_match_path(const char *pattern, const char *path);

#endif
