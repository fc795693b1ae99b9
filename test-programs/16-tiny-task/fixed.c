/*
 * The mend of pitfall: eight tasks compute a part of the table each.
 *
 * Look at part.
 */
#include "test-programs/16-tiny-task/cells.h"

#define PARTS 8

static struct weft_waitgroup under_way;

static void part(void *arg)
{
    int number = *(int *)arg;

    for (int i = CELLS / PARTS * number; i < CELLS / PARTS * (number + 1); i++)
        compute(i);
    weft_waitgroup_done(&under_way);
}

static void fill(void *arg)
{
    long began = now_ms();

    (void)arg;
    for (int i = 0; i < PARTS; i++) {
        weft_waitgroup_add(&under_way, 1);
        MUST(weft_go_copy(part, &i, sizeof i) == 0);
    }
    weft_waitgroup_wait(&under_way);
    table_done(began);
}

int main(void)
{
    return weft_run(fill, NULL) == 0 ? 0 : 1;
}
