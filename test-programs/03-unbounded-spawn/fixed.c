/*
 * The mend of pitfall: sixteen workers take the items from a channel.
 *
 * Look at worker.
 */
#include "test-programs/03-unbounded-spawn/items.h"
#include "test-programs/common/sample.h"

#include <stdio.h>
#include <weft.h>

#define WORKERS 16

static void worker(void *arg)
{
    int item;

    while (weft_chan_recv(arg, &item) == 0)
        handle_item();
}

static void handle_all(void *arg)
{
    struct weft_chan *jobs = weft_chan_new(sizeof(int), 64);
    struct weft_waitgroup workers = {0};

    (void)arg;
    for (int i = 0; i < WORKERS; i++)
        MUST(weft_waitgroup_go(&workers, worker, jobs) == 0);
    for (int i = 0; i < items; i++)
        weft_chan_send(jobs, &i);
    weft_chan_close(jobs);
    weft_waitgroup_wait(&workers);
    weft_chan_release(jobs);
    printf("%d items\n", items);
}

int main(int argc, char **argv)
{
    read_arguments(argc, argv);
    return weft_run(handle_all, NULL) == 0 ? 0 : 1;
}
