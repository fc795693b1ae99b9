/*
 * The mend of pitfall: the request cancels its context when it leaves, on whatever path.
 *
 * Look at request. The argument is the number of requests.
 */
#include "test-programs/common/sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <weft.h>

static long requests = 10000;

static int query(struct weft_ctx *ctx, long i)
{
    return weft_ctx_err(ctx) == 0 && i >= 0;
}

static void leave(void *ctx)
{
    weft_ctx_cancel(ctx);
    weft_ctx_release(ctx);
}

static int request(struct weft_ctx *server, long i)
{
    struct weft_ctx *ctx = weft_ctx_with_timeout(server, 60 * WEFT_S);
    WEFT_DEFER(leave, ctx);

    return query(ctx, i);
}

static void serve(void *arg)
{
    struct weft_ctx *server = weft_ctx_with_cancel(NULL);
    long answers = 0;

    (void)arg;
    for (long i = 0; i < requests; i++)
        answers += request(server, i);
    weft_ctx_cancel(server);
    weft_ctx_release(server);
    printf("%ld answers\n", answers);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        requests = atol(argv[1]);
    return weft_run(serve, NULL) == 0 ? 0 : 1;
}
