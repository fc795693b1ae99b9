/*
 * A service is shut down by telling its workers to leave. Jobs that were accepted lie in the queue
 * then, and go with it.
 *
 * Look at worker: it leaves when `quit` is closed, whatever is in the queue. The argument is the
 * number of jobs.
 */
#include "test-programs/common/sample.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <weft.h>

#define WORKERS 4
#define ROOM    100

static struct weft_chan *queue, *quit;
static atomic_int there, done;
static long jobs = 160;

static void worker(void *arg)
{
    long job;

    (void)arg;
    atomic_fetch_add(&there, 1);
    for (;;) {
        struct weft_case cases[] = {WEFT_RECV(quit, NULL), WEFT_RECV(queue, &job)};

        if (weft_select(cases, 2, WEFT_FOREVER) == 0)
            return;
        weft_sleep(10 * WEFT_MS);
        if (job >= jobs - ROOM)
            weft_chan_recv(quit, NULL); /* a long one, until the service is shut down */
        atomic_fetch_add(&done, 1);
    }
}

static void serve(void *arg)
{
    struct weft_waitgroup workers = {0};

    (void)arg;
    queue = weft_chan_new(sizeof(long), ROOM); /* LOST */
    quit = weft_chan_new(0, 0);
    for (int i = 0; i < WORKERS; i++)
        weft_waitgroup_go(&workers, worker, NULL);
    do
        weft_sleep(2 * WEFT_MS); /* until they wait for jobs */
    while (atomic_load(&there) < WORKERS);
    for (long i = 0; i < jobs; i++)
        weft_chan_send(queue, &i);
    weft_chan_close(quit);
    weft_waitgroup_wait(&workers);
    weft_chan_release(queue);
    weft_chan_release(quit);
    puts(atomic_load(&done) == jobs ? "all jobs are done" : "stopped");
}

int main(int argc, char **argv)
{
    if (argc > 1)
        jobs = atol(argv[1]);
    return weft_run(serve, NULL) == 0 ? 0 : 1;
}
