/*
 * grpc_1275: a stream's reader waits for the next message; closing the stream forgets to close the
 * buffer that it waits on, and the parent does not wait for it longer than a timer allows.
 */
#include "tests/kernels/kernel.h"

#include <stdlib.h>

struct stream {
    struct weft_chan *messages;
    struct weft_chan *reader_done;
};

static void read_all(void *arg)
{
    struct stream *stream = arg;
    int message;

    while (weft_chan_recv(stream->messages, &message) == 0) /* LEAK */
        continue;
    weft_chan_close(stream->reader_done);
}

static void close_stream(struct stream *stream)
{
    if (fixed)
        weft_chan_close(stream->messages);
}

static void test(void *arg)
{
    struct stream *stream = malloc(sizeof *stream);

    (void)arg;
    MUST(stream != NULL);
    stream->messages = weft_chan_new(sizeof(int), 4);
    stream->reader_done = weft_chan_new(0, 0);
    spawn(read_all, stream); /* SPAWN */
    close_stream(stream);

    struct weft_case cases[] = {WEFT_RECV(stream->reader_done, NULL)};
    weft_select(cases, 1, 5 * WEFT_MS);
    puts("closed");
}

KERNEL(test)
