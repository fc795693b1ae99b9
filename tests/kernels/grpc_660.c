/*
 * grpc_660: a benchmark client's worker reports that it is done on a channel without room; the
 * parent waits for that or for the order to stop, and once it has taken the stop nobody receives.
 */
#include "tests/kernels/kernel.h"

static void worker(void *arg)
{
    struct weft_chan *done = arg;
    char token = 0;

    weft_chan_send(done, &token); /* LEAK */
    weft_chan_release(done);
}

static void test(void *arg)
{
    struct weft_chan *done = weft_chan_new(1, fixed ? 1 : 0);
    struct weft_chan *stop = weft_chan_new(1, 0);
    struct weft_case cases[] = {WEFT_RECV(stop, NULL), WEFT_RECV(done, NULL)};

    (void)arg;
    weft_chan_close(stop);
    MUST(weft_select(cases, 1, WEFT_FOREVER) == 0);
    spawn(worker, weft_chan_retain(done)); /* SPAWN */
    settle();
    weft_chan_release(done);
    weft_chan_release(stop);
    puts("stopped");
}

KERNEL(test)
