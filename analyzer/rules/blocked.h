/* blocked.h - places that hold many OS threads in blocking calls. Facts only; no rule. */
#ifndef RULES_BLOCKED_H
#define RULES_BLOCKED_H

#include "analyzer/model/model.h"

/* The record of the calls that held the threads or tasks of that site: many at once, for a while
 * each, and half of them and more. NULL otherwise. */
const struct model_site *blocked_of_spawn(const struct model_process *p,
                                          const struct model_site *spawn);
/* Are these plain threads, known by the place that makes them? Else a runtime's calls, known by the
 * place of the call. */
bool blocked_are_threads(const struct model_process *p, const struct model_site *blocked);
/* Mean length of the calls that are over; of those that last for ever as long as the process. */
uint64_t blocked_mean_ns(const struct model_process *p, const struct model_site *blocked);

#endif
