/* Tasks that compute for long, and who runs the others meanwhile. */
#ifndef WEFT_SCHED_OVERTIME_H
#define WEFT_SCHED_OVERTIME_H

#include "runtime/sched/inside.h"

/* By the monitor, now and then: sends an extra worker where tasks stand behind one that computes.
 */
void weft__overtime_look(struct weft__run *run);

/* By the thread of an extra worker, between tasks: it is needed no longer. */
bool weft__overtime_is_over(struct weft__worker *w);

/* It has run out of work, or is not needed: what it has left is for the others. */
void weft__overtime_retire(struct weft__worker *w);

/* How long the worker has run what it runs; 0 if that is not for long. For reports. */
uint32_t weft__overtime_ms(const struct weft__worker *w);

#endif
