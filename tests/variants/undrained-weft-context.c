/*
 * undrained-weft-context.c - the queue that nobody drains: a helper makes and closes it, its reader
 * is cancelled by a context, and the program ends without a release.
 */
#include "test-programs/common/sample.h"

#include <stdio.h>
#include <weft.h>

#define ROOM 64

struct record {
    char text[32];
};

static struct weft_chan *open_log(void)
{
    return weft_chan_new(sizeof(struct record), ROOM); /* LOST */
}

struct flusher {
    struct weft_chan *log;
    struct weft_ctx *ctx;
};

static void flush(void *arg)
{
    struct flusher *f = arg;
    struct record record;

    for (;;) {
        struct weft_case cases[] = {WEFT_RECV(f->log, &record),
                                    WEFT_RECV(weft_ctx_done(f->ctx), NULL)};
        if (weft_select(cases, 2, WEFT_FOREVER) != 0)
            return;
        weft_chan_recv(weft_ctx_done(f->ctx), NULL); /* so slow is the disk */
    }
}

static void test(void *arg)
{
    struct flusher f = {open_log(), weft_ctx_with_cancel(NULL)};
    struct weft_waitgroup wg = {0};
    struct record record = {"line"};

    (void)arg;
    weft_waitgroup_go(&wg, flush, &f);
    weft_sleep(WEFT_MS);
    for (int i = 0; i < 40; i++)
        weft_chan_send(f.log, &record);
    weft_chan_close(f.log);
    weft_ctx_cancel(f.ctx);
    weft_waitgroup_wait(&wg);
    weft_ctx_release(f.ctx);
    puts("closed");
}

int main(void)
{
    return weft_run(test, NULL) == 0 ? 0 : 1;
}
