/*
 * cockroach_13755: a query's rows start a task that waits for the rows' context; the cancel sits in
 * the rows, and who read them forgot to close them.
 */
#include "tests/kernels/kernel.h"

#include <stdlib.h>

struct rows {
    struct weft_ctx *ctx;
    int left;
};

static void await_done(void *arg)
{
    struct weft_ctx *ctx = arg;

    weft_chan_recv(weft_ctx_done(ctx), NULL); /* LEAK */
    weft_ctx_release(ctx);
}

static struct rows *query(struct weft_ctx *parent)
{
    struct rows *rows = malloc(sizeof *rows);

    MUST(rows != NULL);
    rows->ctx = weft_ctx_with_cancel(parent);
    rows->left = 3;
    spawn(await_done, weft_ctx_retain(rows->ctx)); /* SPAWN */
    return rows;
}

static void rows_close(struct rows *rows)
{
    weft_ctx_cancel(rows->ctx);
    weft_ctx_release(rows->ctx);
    free(rows);
}

static void test(void *arg)
{
    struct rows *rows = query(weft_ctx_background());

    (void)arg;
    while (rows->left > 1) /* one row was enough */
        rows->left--;
    if (fixed)
        rows_close(rows);
    settle();
    puts("queried");
}

KERNEL(test)
