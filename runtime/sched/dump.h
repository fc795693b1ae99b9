/* Tasks as reports show them. */
#ifndef WEFT_SCHED_DUMP_H
#define WEFT_SCHED_DUMP_H

#include "runtime/sched/inside.h"

/* A line for the task if it is of that run, with `remark` at its end, and lines for its stack. In
 * any place, also in a signal handler. 0, or the negative errno of write(2). */
int weft__dump_task(const struct weft_task *t, uint32_t epoch, const char *remark, int fd);

/* The return address of the call of the runtime in which a task waits; NULL: not known. */
const void *weft__waits_at(const struct weft_task *t);

#endif
