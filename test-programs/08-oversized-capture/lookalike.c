/*
 * Looks like the mistake and is right: as many tasks wait, each with as large a block behind its
 * argument. But it is what they work with: each writes its answer into it, and waits in between.
 *
 * Look at answer.
 */
#include "test-programs/08-oversized-capture/requests.h"

#include <weft.h>

static struct weft_chan *sent;
static struct weft_waitgroup noted, collected;
static int at_once;

static void answer(void *arg)
{
    struct request *request = arg;

    memset(request->body, '1', sizeof request->body / 2);
    weft_waitgroup_done(&collected);
    weft_chan_recv(sent, NULL);
    memset(request->body + sizeof request->body / 2, '2', sizeof request->body / 2);
    note(request->user, request->amount);
    free(request);
    weft_waitgroup_done(&noted);
}

static void serve(int number)
{
    struct request *request = read_request(number);

    MUST(weft_go(answer, request) == 0);
}

static void serve_all(void *arg)
{
    for (int batch = 0; batch < BATCHES; batch++) {
        sent = weft_chan_new(0, 0);
        weft_waitgroup_add(&noted, at_once);
        weft_waitgroup_add(&collected, at_once);
        for (int i = 0; i < at_once; i++)
            serve(i);
        weft_waitgroup_wait(&collected);
        weft_sleep(20 * WEFT_MS); /* what the answers need takes its time */
        weft_chan_close(sent);
        weft_waitgroup_wait(&noted);
        weft_chan_release(sent);
    }
    (void)arg;
    printf("audited: %ld\n", atomic_load(&audited));
}

int main(int argc, char **argv)
{
    at_once = batch_size(argc, argv, 500);
    return weft_run(serve_all, NULL) == 0 ? 0 : 1;
}
