/*
 * Looks like lost items and is right: channels that end with something inside, which nobody misses.
 *
 * Look at serve: `buffers` is a pool and holds its stock at the end; `answer` is a mailbox for one,
 * made so that the worker can leave when nobody waits any more; of `results`, made with room for
 * all of them, the first is enough; `slots` counts, its items have no content.
 */
#include "test-programs/common/sample.h"

#include <stdio.h>
#include <weft.h>

#define BUFFERS 4
#define WORKERS 12

static struct weft_chan *buffers, *answer, *results, *slots;
static char memory[BUFFERS][64];

static void worker(void *arg)
{
    char *buffer = NULL;

    (void)arg;
    for (int i = 0; i < 20; i++) {
        weft_chan_recv(buffers, &buffer);
        weft_sleep(WEFT_US * 20);
        weft_chan_send(buffers, &buffer);
    }
    weft_chan_send(slots, NULL);
    weft_chan_send(results, &buffer);
}

static void late(void *arg)
{
    int value = 42;

    (void)arg;
    weft_chan_send(answer, &value);
}

static void serve(void *arg)
{
    struct weft_waitgroup workers = {0};
    char *first;

    (void)arg;
    buffers = weft_chan_new(sizeof(char *), BUFFERS);
    answer = weft_chan_new(sizeof(int), 1);
    results = weft_chan_new(sizeof(char *), WORKERS);
    slots = weft_chan_new(0, WORKERS);
    for (int i = 0; i < BUFFERS; i++) {
        char *buffer = memory[i];
        weft_chan_send(buffers, &buffer);
    }
    for (int i = 0; i < WORKERS; i++)
        weft_waitgroup_go(&workers, worker, NULL);
    weft_waitgroup_go(&workers, late, NULL);
    weft_chan_recv(results, &first);
    weft_waitgroup_wait(&workers);
    weft_chan_release(buffers);
    weft_chan_release(answer);
    weft_chan_release(results);
    weft_chan_release(slots);
    puts("served");
}

int main(void)
{
    return weft_run(serve, NULL) == 0 ? 0 : 1;
}
