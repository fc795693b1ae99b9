/*
 * Each request that was answered is noted in an audit, which is sent batch by batch. The task that
 * waits for the next batch is given the whole request, of which it needs two numbers: until then 64
 * KiB of it stay in memory, for each of all the requests that came meanwhile.
 *
 * Look at the weft_go in serve, and at what audit makes of its request.
 */
#include "test-programs/08-oversized-capture/requests.h"

#include <weft.h>

static struct weft_chan *sent;
static struct weft_waitgroup noted, collected;
static int at_once;

static void audit(void *arg)
{
    struct request *request = arg;

    weft_waitgroup_done(&collected);
    weft_chan_recv(sent, NULL);
    note(request->user, request->amount);
    free(request);
    weft_waitgroup_done(&noted);
}

static void serve(int number)
{
    struct request *request = read_request(number);

    MUST(weft_go(audit, request) == 0); /* SPAWN */
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
        weft_sleep(20 * WEFT_MS); /* the audit's server takes its time */
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
