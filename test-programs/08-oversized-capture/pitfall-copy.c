/*
 * As in pitfall, but it is the runtime that keeps the requests: each task gets a copy of the whole,
 * as a closure does that captures it by value. The request itself is read into the same memory
 * again and again.
 *
 * Look at the weft_go_copy in serve.
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
    weft_waitgroup_done(&noted);
}

static void serve(int number)
{
    static struct request request; /* all are read into the same memory */

    read_into(&request, number);
    MUST(weft_go_copy(audit, &request, sizeof request) == 0); /* SPAWN */
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
