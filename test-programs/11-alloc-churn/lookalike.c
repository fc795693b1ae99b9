/*
 * A server that asks for a buffer for each request, as fast as the pitfall, and is right: it keeps
 * the last 50,000 answers for who asks again, so a buffer lives until its place is needed.
 *
 * Look at answer: what it frees is the oldest. The argument is the number of requests.
 */
#include "test-programs/common/sample.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weft.h>

#define WORKERS 4
#define ROOM    4000
#define KEPT    50000

struct buffer {
    size_t used;
    char text[ROOM + 88];
};

static long requests = 200000;
static struct weft_chan *queue;
static struct buffer *_Atomic kept[KEPT];

static void answer(long request)
{
    struct buffer *buffer = malloc(sizeof(*buffer));

    MUST(buffer != NULL);
    buffer->used = (size_t)snprintf(buffer->text, ROOM, "answer %ld", request);
    MUST(buffer->used > 0);
    free(atomic_exchange(&kept[request % KEPT], buffer));
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
    for (int i = 0; i < KEPT; i++)
        free(kept[i]);
    puts("all requests are answered");
}

int main(int argc, char **argv)
{
    if (argc > 1)
        requests = atol(argv[1]);
    return weft_run(serve, NULL) == 0 ? 0 : 1;
}
