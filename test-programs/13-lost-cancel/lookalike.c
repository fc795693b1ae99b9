/*
 * Looks like lost cancels and is right: contexts that live long, and some that nobody cancels.
 *
 * Look at serve: the root lives as long as the program; the sessions' contexts are waited on until
 * the root is cancelled; those of `brief` are let go of when their time is over; `once` needs no
 * cancel, as it holds no timer and goes with its release.
 */
#include "test-programs/common/sample.h"

#include <stdio.h>
#include <weft.h>

#define SESSIONS 40

static struct weft_ctx *program;

static void session(void *arg)
{
    struct weft_ctx *ctx = arg;

    weft_chan_recv(weft_ctx_done(ctx), NULL);
    weft_ctx_release(ctx);
}

static void brief(struct weft_ctx *root)
{
    struct weft_ctx *ctx = weft_ctx_with_timeout(root, WEFT_MS);

    weft_chan_recv(weft_ctx_done(ctx), NULL);
    weft_ctx_release(ctx);
}

static void once(struct weft_ctx *root)
{
    struct weft_ctx *ctx = weft_ctx_with_cancel(root);

    MUST(weft_ctx_err(ctx) == 0);
    weft_ctx_release(ctx);
}

static void serve(void *arg)
{
    struct weft_waitgroup sessions = {0};
    struct weft_ctx *root = weft_ctx_with_cancel(NULL);

    (void)arg;
    program = weft_ctx_with_cancel(NULL);
    MUST(weft_ctx_err(program) == 0);
    for (int i = 0; i < SESSIONS; i++)
        weft_waitgroup_go(&sessions, session, weft_ctx_with_timeout(root, 60 * WEFT_S));
    for (int i = 0; i < 5; i++) {
        brief(root);
        once(root);
    }
    weft_ctx_cancel(root);
    weft_waitgroup_wait(&sessions);
    weft_ctx_release(root);
    puts("served");
}

int main(void)
{
    return weft_run(serve, NULL) == 0 ? 0 : 1;
}
