/*
 * grpc_862: a dial that is cancelled returns no connection, so the caller has nothing to close; but
 * the connection's retry loop has a context of its own, which is now never cancelled.
 */
#include "tests/kernels/kernel.h"

#include <errno.h>
#include <stdlib.h>

struct connection {
    struct weft_ctx *ctx;
};

static void retry_loop(void *arg)
{
    struct connection *connection = arg;

    weft_chan_recv(weft_ctx_done(connection->ctx), NULL); /* LEAK */
    weft_ctx_release(connection->ctx);
    free(connection);
}

static struct connection *dial(struct weft_ctx *caller)
{
    struct connection *connection = malloc(sizeof *connection);

    MUST(connection != NULL);
    connection->ctx = weft_ctx_with_cancel(NULL);
    spawn(retry_loop, connection); /* SPAWN */
    if (weft_ctx_err(caller) != 0) {
        if (fixed)
            weft_ctx_cancel(connection->ctx);
        return NULL;
    }
    return connection;
}

static void test(void *arg)
{
    struct weft_ctx *ctx = weft_ctx_with_cancel(NULL);
    struct connection *connection;

    (void)arg;
    weft_ctx_cancel(ctx);
    connection = dial(ctx);
    if (connection != NULL)
        weft_ctx_cancel(connection->ctx);
    weft_ctx_release(ctx);
    settle();
    puts("dialled");
}

KERNEL(test)
