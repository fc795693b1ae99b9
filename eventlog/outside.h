/*
 * outside.h - what another process may do to the record of a living one: set its control word, and
 * add an event to it in a file of its own. The process is not stopped, signalled or asked.
 *
 * Not thread-safe. Errors are negative errno.
 */
#ifndef EVENTLOG_OUTSIDE_H
#define EVENTLOG_OUTSIDE_H

#include <stdint.h>

#include "eventlog/kinds.h"

/* What is learned of a record when it is opened, for all calls. */
struct el_outside {
    int dir; /* descriptor */
    uint64_t clock_hz;
    uint64_t at, monotonic_ns; /* clocks read together when the record began */
    uint64_t pid;
    uint8_t uuid[16];
    uint32_t control_at; /* offset of the control word in the file of the summary */
};

/* 0; -ENOTSUP: the record is of a version that cannot be told. Nothing is to be closed then. */
int el_outside_open(const char *dir, struct el_outside *out);
void el_outside_close(struct el_outside *o);

/* Sets the word, and writes the event `recording`. */
int el_outside_control(const struct el_outside *o, enum el_control word);

/* Writes an event `mark` whose actor is 0. */
int el_outside_mark(const struct el_outside *o, const char *text);

#endif
