/*
 * A server answers each request out of a buffer of 4 KiB that it asks for and gives back. At 1,000
 * requests a second that is 4 MB a second and no matter; here the requests come as fast as they are
 * answered, and the allocator is asked for hundreds of megabytes a second.
 *
 * Look at answer: the buffer lives for the length of one request. The argument is the number of
 * requests.
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

static void answer(long request)
{
    struct buffer *buffer = malloc(sizeof(*buffer)); /* CHURN */

    MUST(buffer != NULL);
    buffer->used = (size_t)snprintf(buffer->text, ROOM, "answer %ld", request);
    MUST(buffer->used > 0);
    free(buffer);
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

    (void)arg;
    queue = weft_chan_new(sizeof(long), 64);
    for (int i = 0; i < WORKERS; i++)
        weft_waitgroup_go(&workers, worker, NULL);
    for (long i = 0; i < requests; i++)
        weft_chan_send(queue, &i);
    weft_chan_close(queue);
    weft_waitgroup_wait(&workers);
    weft_chan_release(queue);
    puts("all requests are answered");
}

int main(int argc, char **argv)
{
    if (argc > 1)
        requests = atol(argv[1]);
    return weft_run(serve, NULL) == 0 ? 0 : 1;
}
