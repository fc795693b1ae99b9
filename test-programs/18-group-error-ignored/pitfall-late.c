/*
 * Each worker counts itself into the wait group when it begins to work. Whoever waits comes first,
 * finds nothing to wait for, and goes on without any result.
 *
 * Look at the weft_waitgroup_add in worker: it belongs before the weft_go.
 */
#include "test-programs/common/sample.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <weft.h>

#define WORKERS 10

static struct weft_waitgroup working;
static atomic_int results;
static atomic_bool gone_on;

static void worker(void *arg)
{
    (void)arg;
    do /* for longer than it takes to come to the wait, however busy the machine is */
        weft_sleep(50 * WEFT_MS);
    while (!atomic_load(&gone_on));
    weft_waitgroup_add(&working, 1); /* LATE */
    atomic_fetch_add(&results, 1);
    weft_waitgroup_done(&working);
}

static void work(void *arg)
{
    for (int i = 0; i < WORKERS; i++)
        MUST(weft_go(worker, arg) == 0);
    weft_waitgroup_wait(&working); /* WAIT */
    printf("%d results\n", results);
    atomic_store(&gone_on, true);
    do
        weft_sleep(50 * WEFT_MS);
    while (atomic_load(&results) < WORKERS);
}

int main(void)
{
    return weft_run(work, NULL) == 0 ? 0 : 1;
}
