/*
 * read_log.h - a directory of records becomes a model, with what is wrong with it in words.
 *
 * A damaged record gives what can be read of it. Knows the reader of eventlog/ and the builder of
 * model/, and judges nothing.
 */
#ifndef READ_LOG_H
#define READ_LOG_H

#include <stdint.h>

#include "analyzer/model/model.h"

/* Called now and then while reading, for a display. */
typedef void (*read_progress)(void *arg, uint64_t done_bytes, uint64_t total_bytes);

/* Why the record is not whole, a sentence each without its full stop; none when it is whole. */
struct read_problems {
    char **items;
    size_t n;
};

/* Reads all processes below `dir`. Returns 0, even with no process in it, or a negative errno when
 * the directory cannot be read; then *out is NULL. `progress` may be NULL. *out is freed with
 * model_destroy. `problems` is added to. */
int read_log(const char *dir, read_progress progress, void *arg, struct model **out,
             struct read_problems *problems);

void read_problems_clear(struct read_problems *problems);

#endif
