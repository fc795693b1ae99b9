/*
 * A worker that fails says so and is done; and it is done once more at its end. The count of the
 * wait group goes below zero, and the runtime stops the program.
 *
 * Look at the two weft_waitgroup_done in worker.
 */
#include "test-programs/common/sample.h"

#include <stdatomic.h>
#include <stdio.h>
#include <weft.h>

static struct weft_waitgroup working;

static void worker(void *arg)
{
    if (arg == NULL) {
        printf("nothing to do\n");
        fflush(stdout);
        weft_waitgroup_done(&working);
    }
    weft_waitgroup_done(&working); /* TWICE */
}

static void work(void *arg)
{
    weft_waitgroup_add(&working, 1);
    MUST(weft_go(worker, arg) == 0);
    weft_waitgroup_wait(&working);
}

int main(void)
{
    return weft_run(work, NULL) == 0 ? 0 : 1;
}
