/*
 * record_help.h - for tests that run themselves again as the program under test, with the library,
 * and then read the record that it left.
 */
#ifndef PRELOAD_TESTS_RECORD_HELP_H
#define PRELOAD_TESTS_RECORD_HELP_H

#include <stddef.h>

#include "eventlog/reader.h"

/* A scratch directory for records, removed by record_remove. 0, or -1. */
int record_prepare(void);
int record_remove(void);

/* Runs this program with the one argument "program", the library of $LOITER_LIBRARY preloaded. What
 * it prints goes to `out`. Its exit status as of waitpid, or -1. */
int record_run(char *out, size_t size);

/* Reads the record of the program, and of each process that it forked. Either function may be NULL.
 * The number of things read, or -1; so where some of it is damaged. */
long record_read(void (*on_cell)(const struct el_record *),
                 void (*on_event)(const struct el_record *));

#endif
