/*
 * Looks like the mistake and is right: as many tasks, each with as little to compute; but each
 * waits for its number first, and waiting beside others is what tasks are for.
 *
 * Look at the weft_sleep in cell.
 */
#include "test-programs/16-tiny-task/cells.h"

#define AT_ONCE 500

static struct weft_waitgroup under_way;

static void cell(void *arg)
{
    weft_sleep(WEFT_MS);
    compute(*(int *)arg);
    weft_waitgroup_done(&under_way);
}

static void fill(void *arg)
{
    long began = now_ms();

    (void)arg;
    for (int i = 0; i < CELLS; i++) {
        weft_waitgroup_add(&under_way, 1);
        MUST(weft_go_copy(cell, &i, sizeof i) == 0);
        if (i % AT_ONCE == AT_ONCE - 1)
            weft_waitgroup_wait(&under_way);
    }
    table_done(began);
}

int main(void)
{
    return weft_run(fill, NULL) == 0 ? 0 : 1;
}
