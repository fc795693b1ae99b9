/*
 * Each cell of a table is computed in a task of its own, five hundred at a time: a multiplication,
 * for which a task is made, queued, given a stack, switched to and ended.
 *
 * Look at the weft_go in fill, and at how little cell does.
 */
#include "test-programs/16-tiny-task/cells.h"

#define AT_ONCE 500

static struct weft_waitgroup under_way;

static void cell(void *arg)
{
    compute(*(int *)arg);
    weft_waitgroup_done(&under_way);
}

static void fill(void *arg)
{
    long began = now_ms();

    (void)arg;
    for (int i = 0; i < CELLS; i++) {
        weft_waitgroup_add(&under_way, 1);
        MUST(weft_go_copy(cell, &i, sizeof i) == 0); /* SPAWN */
        if (i % AT_ONCE == AT_ONCE - 1)
            weft_waitgroup_wait(&under_way);
    }
    table_done(began);
}

int main(void)
{
    return weft_run(fill, NULL) == 0 ? 0 : 1;
}
