/*
 * output_file.h - the file that an option names for what the command writes, or a stream in its
 * place.
 */
#ifndef LOITER_CLI_OUTPUT_FILE_H
#define LOITER_CLI_OUTPUT_FILE_H

#include <stdbool.h>
#include <stdio.h>

/* What the option's argument names; NULL for "-", which is to be as without the option. */
const char *output_file_named(const char *arg);

/* Whether it can be written as far as that can be told beforehand: a long run must not end without
 * its report. Says why not. `what` is a word as "report"; without a file it is true. */
bool output_file_usable(const char *file, const char *what);

/* NULL where it cannot be opened; output_file_close says so. `otherwise` is for no file. */
FILE *output_file_open(const char *file, FILE *otherwise);

/* Whether all was written; says so if not. `out` may be NULL. */
bool output_file_close(FILE *out, const char *file, FILE *otherwise, const char *what);

#endif
