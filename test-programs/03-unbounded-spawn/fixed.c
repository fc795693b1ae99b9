/*
 * The mend of pitfall: sixteen workers take the items from a channel.
 *
 * Look at worker. (An item takes a hundredth of the pitfall's time, so that the test is quick.)
 */
#include "test-programs/common/sample.h"

#include <stdio.h>
#include <weft.h>

#define ITEMS   10000
#define WORKERS 16

static void worker(void *arg)
{
    struct weft_chan *items = arg;
    int item;

    while (weft_chan_recv(items, &item) == 0)
        if (item % 50 == 0)
            weft_sleep(WEFT_MS);
}

static void handle_all(void *arg)
{
    struct weft_chan *items = weft_chan_new(sizeof(int), 64);
    struct weft_waitgroup workers = {0};

    (void)arg;
    for (int i = 0; i < WORKERS; i++)
        MUST(weft_waitgroup_go(&workers, worker, items) == 0);
    for (int i = 0; i < ITEMS; i++)
        weft_chan_send(items, &i);
    weft_chan_close(items);
    weft_waitgroup_wait(&workers);
    weft_chan_release(items);
    printf("%d items\n", ITEMS);
}

int main(void)
{
    return weft_run(handle_all, NULL) == 0 ? 0 : 1;
}
