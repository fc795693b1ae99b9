/*
 * weft_sample.h - what the test programs with tasks share beside sample.h.
 */
#ifndef WEFT_SAMPLE_H
#define WEFT_SAMPLE_H

#include "test-programs/common/sample.h"

#include <weft.h>

/* For a task: returns when no other of the run runs or is ready to. Each has come to its wait,
 * which may be a sleep, or has ended. */
static inline void wait_until_tasks_wait(void)
{
    struct weft_stats now;

    /* Twice in a row: one look is not taken at one moment. */
    for (int seen = 0; seen<2; seen = now.tasks_running + now.tasks_runnable> 1 ? 0 : seen + 1) {
        weft_sleep(2 * WEFT_MS);
        MUST(weft_stats(&now) == 0);
    }
}

#endif
