/*
 * leak-weft-group.c - a worker leaves early without telling the wait group; who waits for the batch
 * waits for ever.
 */
#include "test-programs/common/weft_sample.h"

#include <stdio.h>
#include <stdlib.h>

#define BATCHES 5

struct batch {
    struct weft_waitgroup left;
    int items;
};

static void item(void *arg)
{
    struct batch *batch = arg;

    if (batch->items++ == 1)
        return; /* no done on this path */
    weft_waitgroup_done(&batch->left);
}

static void run_batch(void *arg)
{
    struct batch *batch = calloc(1, sizeof *batch);

    (void)arg;
    MUST(batch != NULL);
    weft_waitgroup_add(&batch->left, 3);
    for (int i = 0; i < 3; i++)
        MUST(weft_go(item, batch) == 0);
    weft_waitgroup_wait(&batch->left); /* LEAK */
    free(batch);
}

static void test(void *arg)
{
    (void)arg;
    for (int i = 0; i < BATCHES; i++)
        MUST(weft_go(run_batch, NULL) == 0); /* SPAWN */
    wait_until_tasks_wait();
    puts("batches");
}

int main(void)
{
    const struct weft_options options = {.workers = 1};

    return weft_run_with(&options, test, NULL) == 0 ? 0 : 1;
}
