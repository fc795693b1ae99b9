/*
 * The mend of pitfall-late: the worker is counted before it is made. (weft_waitgroup_go does both.)
 *
 * Look at work.
 */
#include "test-programs/common/sample.h"

#include <stdatomic.h>
#include <stdio.h>
#include <weft.h>

#define WORKERS 10

static struct weft_waitgroup working;
static atomic_int results;

static void worker(void *arg)
{
    (void)arg;
    weft_sleep(50 * WEFT_MS);
    atomic_fetch_add(&results, 1);
    weft_waitgroup_done(&working);
}

static void work(void *arg)
{
    for (int i = 0; i < WORKERS; i++) {
        weft_waitgroup_add(&working, 1);
        MUST(weft_go(worker, arg) == 0);
    }
    weft_waitgroup_wait(&working);
    printf("%d results\n", results);
}

int main(void)
{
    return weft_run(work, NULL) == 0 ? 0 : 1;
}
