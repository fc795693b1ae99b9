/*
 * environment.h - a copy of the environment with some variables changed, for a program that is to
 * be started.
 */
#ifndef ENVIRONMENT_H
#define ENVIRONMENT_H

#include <stddef.h>

struct environment {
    char **list; /* "NAME=value" each, NULL at the end; for execve */
    size_t n;
    char **made; /* those of them, and of before, that environment_clear frees */
    size_t nmade;
};

/* Copies the list; its words stay the caller's. */
void environment_copy(struct environment *env, char *const *from);
void environment_clear(struct environment *env);

/* The value of a variable, NULL when there is none. */
const char *environment_get(const struct environment *env, const char *name);

/* Sets "NAME=value" in place of what NAME was. The word is taken over, and freed in the end. */
void environment_set(struct environment *env, char *word);
/* The same of a word that stays the caller's. */
void environment_lend(struct environment *env, char *word);

/* What `name` has gains `value` at its end, after `separator`; or it becomes `value`. */
void environment_append(struct environment *env, const char *name, const char *value,
                        char separator);

#endif
