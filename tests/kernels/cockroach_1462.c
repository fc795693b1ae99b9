/*
 * cockroach_1462: a worker that waits to send is not done; stop waits for all to be done, after the
 * task that would have received has left.
 */
#include "tests/kernels/kernel.h"

static struct weft_chan *results, *draining;
static struct weft_waitgroup workers;

static void worker(void *arg)
{
    int result = 7;
    struct weft_case cases[] = {WEFT_SEND(results, &result), WEFT_RECV(draining, NULL)};

    (void)arg;
    if (fixed)
        weft_select(cases, 2, WEFT_FOREVER);
    else
        weft_chan_send(results, &result); /* LEAK */
    weft_waitgroup_done(&workers);
}

static void receiver(void *arg)
{
    (void)arg;
    weft_chan_recv(results, NULL);
}

static void test(void *arg)
{
    (void)arg;
    results = weft_chan_new(sizeof(int), 0);
    draining = weft_chan_new(0, 0);
    weft_waitgroup_add(&workers, 2);
    spawn(receiver, NULL);
    spawn(worker, NULL); /* SPAWN */
    spawn(worker, NULL); /* SPAWN */
    settle();
    weft_chan_close(draining);
    weft_waitgroup_wait(&workers); /* STOP */
    puts("stopped");
}

KERNEL(test)
