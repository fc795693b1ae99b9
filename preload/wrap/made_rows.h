/* made_rows.h - for tests of tasks that are made one by one, each waited for: what a runtime does
 * there that has such words. */
#ifndef PRELOAD_WRAP_MADE_ROWS_H
#define PRELOAD_WRAP_MADE_ROWS_H

#include "preload/wrap/made_tasks.h"

static struct loiter_spared spared;
static int unannounced;

/* The parent waits for a wait group, which the task brings to its end. */
__attribute__((noinline)) static void wait_for_group(void)
{
    const void *group = &chan;
    loiter_task_park(&parent.loiter, LOITER_WAIT_GROUP, &group, 1, 0, &place_one);
    sink++;
}

__attribute__((noinline)) static void end_group(struct task *t)
{
    t->stack = stack;
    run(t);
    loiter_task_ready(&parent.loiter, &chan);
    sink++;
}

/* As a runtime ends a task that has such words. */
static void end_spared(struct loiter_task *t)
{
    if (t->tool == spared.young && spared.ends != 0) {
        t->tool = NULL;
        spared.ends--;
        unannounced++;
    } else {
        loiter_task_exit(t);
    }
}

#endif
