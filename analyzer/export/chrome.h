/*
 * chrome.h - a record as a timeline for Perfetto and chrome://tracing: the JSON of the Trace Event
 * Format.
 *
 * A track for each thread and task that waited; waits, and calls with a lock held, are slices on
 * it; marks and the calls that a runtime forbids are instants, populations counters. What a record
 * keeps as totals only (waits below a millisecond, spawns) has no time and is not there.
 */
#ifndef CHROME_H
#define CHROME_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct model;
struct model_process;

/* Names the place of a stack, as "read_all (file.c:12)"; NULL when nothing is known. Valid until
 * the next call. */
typedef const char *(*chrome_place_fn)(void *arg, const struct model_process *p, uint32_t stack);

/* Reads the events of the model's processes again and writes them. False when a record cannot be
 * opened again; errors of `out` stay with it. */
bool chrome_write(FILE *out, const struct model *m, chrome_place_fn place, void *arg);

#endif
