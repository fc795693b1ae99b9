/*
 * tiny-weft-pipeline.c - an event loop that hands each event to a task through a helper, and has
 * fifty of them back before it goes on.
 */
#include "test-programs/common/sample.h"

#include <stdatomic.h>
#include <stdio.h>
#include <weft.h>

#define EVENTS 15000
#define BATCH  50

static atomic_long handled;

static void handle(void *arg)
{
    atomic_fetch_add(&handled, *(int *)arg & 1);
}

static struct weft_waitgroup batch;

static void in_task(void (*fn)(void *), void *arg)
{
    MUST(weft_waitgroup_go(&batch, fn, arg) == 0); /* SPAWN */
}

static void loop(void *arg)
{
    static int events[BATCH];

    (void)arg;
    for (int i = 0; i < EVENTS; i++) {
        events[i % BATCH] = i;
        in_task(handle, &events[i % BATCH]);
        if (i % BATCH == BATCH - 1)
            weft_waitgroup_wait(&batch);
    }
    printf("%d events\n", EVENTS);
}

int main(void)
{
    return weft_run(loop, NULL) == 0 ? 0 : 1;
}
