/*
 * lost-weft-task.c - each task makes a context for its own queries, asks it a few times, and ends
 * without a cancel.
 */
#include "test-programs/common/sample.h"

#include <stdio.h>
#include <weft.h>

#define TASKS 12

static void job(void *arg)
{
    struct weft_ctx *ctx = weft_ctx_with_timeout(arg, 30 * WEFT_S); /* LOST */
    struct weft_case cases[] = {WEFT_RECV(weft_ctx_done(ctx), NULL)};

    MUST(weft_select(cases, 1, WEFT_MS) != 0);
}

static void serve(void *arg)
{
    struct weft_waitgroup jobs = {0};
    struct weft_ctx *root = weft_ctx_with_cancel(NULL);

    (void)arg;
    for (int i = 0; i < TASKS; i++)
        weft_waitgroup_go(&jobs, job, root);
    weft_waitgroup_wait(&jobs);
    puts("done");
}

int main(void)
{
    return weft_run(serve, NULL) == 0 ? 0 : 1;
}
