/*
 * preflight.h - whether a program can be recorded, found out before it is started.
 *
 * The loader ignores preloaded libraries, without a word, for programs that are static, gain
 * privileges, or are of another architecture. A green report of such a run would mean nothing.
 */
#ifndef PREFLIGHT_H
#define PREFLIGHT_H

/* Finds the program as execvp does. 0, and *path is what to execute (to be freed); or an exit code
 * of exit_codes.h, and *error says why and what to do (to be freed). */
int preflight(const char *program, char **path, char **error);

#endif
