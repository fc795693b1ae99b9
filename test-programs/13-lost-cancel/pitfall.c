/*
 * Each request gets a context with a time limit, and lets go of it without a cancel: context and
 * timer stay until the limit comes, for nobody.
 *
 * Look at request: weft_ctx_with_timeout has no weft_ctx_cancel. The argument is the number of
 * requests.
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

static int request(struct weft_ctx *server, long i)
{
    struct weft_ctx *ctx = weft_ctx_with_timeout(server, 60 * WEFT_S); /* LOST */
    int answer = query(ctx, i);

    weft_ctx_release(ctx);
    return answer;
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
