/*
 * weft-contexts.c - tasks that live as long as their context: cancelled by the caller, by a parent,
 * and by time.
 */
#include "test-programs/common/sample.h"

#include <errno.h>
#include <stdio.h>
#include <weft.h>

static struct weft_waitgroup tasks;

static void until_done(void *arg)
{
    struct weft_ctx *ctx = arg;

    weft_chan_recv(weft_ctx_done(ctx), NULL);
    MUST(weft_ctx_err(ctx) != 0);
    weft_ctx_release(ctx);
}

static void test(void *arg)
{
    (void)arg;
    for (int i = 0; i < 20; i++) {
        struct weft_ctx *parent = weft_ctx_with_cancel(NULL);
        struct weft_ctx *child = weft_ctx_with_cancel(parent);
        struct weft_ctx *timed = weft_ctx_with_timeout(parent, WEFT_MS);

        weft_waitgroup_go(&tasks, until_done, weft_ctx_retain(parent));
        weft_waitgroup_go(&tasks, until_done, weft_ctx_retain(child));
        weft_waitgroup_go(&tasks, until_done, weft_ctx_retain(timed));
        weft_chan_recv(weft_ctx_done(timed), NULL);
        MUST(weft_ctx_err(timed) == -ETIMEDOUT);
        weft_ctx_cancel(parent);
        weft_waitgroup_wait(&tasks);
        weft_ctx_release(timed);
        weft_ctx_release(child);
        weft_ctx_release(parent);
    }
    puts("cancelled");
}

int main(void)
{
    return weft_run(test, NULL) == 0 ? 0 : 1;
}
