/*
 * The same server takes its buffers out of a pool. What the pool gives was used before, so its
 * reset makes it fresh.
 *
 * Look at answer and reset. The argument is the number of requests.
 */
#include "test-programs/common/sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weft.h>

#define WORKERS 4
#define ROOM    4000

struct buffer {
    size_t used;
    char text[ROOM + 88];
};

static long requests = 200000;
static struct weft_chan *queue;
static struct weft_pool *buffers;

static void reset(void *buffer)
{
    ((struct buffer *)buffer)->used = 0;
}

static void answer(long request)
{
    struct buffer *buffer = weft_pool_get(buffers);

    MUST(buffer != NULL);
    buffer->used = (size_t)snprintf(buffer->text, ROOM, "answer %ld", request);
    MUST(buffer->used > 0);
    weft_pool_put(buffers, buffer);
}

static void worker(void *arg)
{
    long request;

    (void)arg;
    while (weft_chan_recv(queue, &request) == 0)
        answer(request);
}

static void serve(void *arg)
{
    struct weft_waitgroup workers = {0};
    struct weft_pool_options options = {.size = sizeof(struct buffer), .reset = reset};

    (void)arg;
    buffers = weft_pool_new(&options);
    MUST(buffers != NULL);
    queue = weft_chan_new(sizeof(long), 64);
    for (int i = 0; i < WORKERS; i++)
        weft_waitgroup_go(&workers, worker, NULL);
    for (long i = 0; i < requests; i++)
        weft_chan_send(queue, &i);
    weft_chan_close(queue);
    weft_waitgroup_wait(&workers);
    weft_chan_release(queue);
    weft_pool_free(buffers);
    puts("all requests are answered");
}

int main(int argc, char **argv)
{
    if (argc > 1)
        requests = atol(argv[1]);
    return weft_run(serve, NULL) == 0 ? 0 : 1;
}
