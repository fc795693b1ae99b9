/* life.h - who of a process lived when it was judged. Facts only; no rule. */
#ifndef RULES_LIFE_H
#define RULES_LIFE_H

#include "analyzer/model/model.h"

enum life {
    LIFE_UNKNOWN, /* no such actor is named, or the record has lost it */
    LIFE_ALIVE,
    LIFE_ENDED,
};

/* A run's main task counts as alive until the run's end, and so for the judgement of the tasks that
 * it left behind; the main thread as long as it has not ended itself. */
enum life life_of(const struct model_process *p, uint64_t actor);
/* The process's first thread, or a run's main task. */
bool life_is_main(const struct model_process *p, uint64_t actor);

#endif
