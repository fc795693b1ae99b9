/*
 * The mend of pitfall: four tasks lock a thread each when they start, and take requests from a
 * channel for as long as there are any.
 *
 * Look at server.
 */
#include "test-programs/19-thread-churn/requests.h"

#include <weft.h>

static void server(void *arg)
{
    int request;

    weft_lock_thread();
    while (weft_chan_recv(arg, &request) == 0)
        answer(request);
}

static void serve_all(void *arg)
{
    struct weft_chan *queue = weft_chan_new(sizeof(int), AT_ONCE);
    struct weft_waitgroup servers = {0};
    long began = now_ms();

    (void)arg;
    for (int i = 0; i < AT_ONCE; i++)
        MUST(weft_waitgroup_go(&servers, server, queue) == 0);
    for (int i = 0; i < REQUESTS; i++)
        weft_chan_send(queue, &i);
    weft_chan_close(queue);
    weft_waitgroup_wait(&servers);
    requests_done(began);
    weft_chan_release(queue);
}

int main(void)
{
    return weft_run(serve_all, NULL) == 0 ? 0 : 1;
}
