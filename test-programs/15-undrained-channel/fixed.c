/*
 * The mend of pitfall: the queue is closed when the last job is in it, and the workers go on until
 * it is empty.
 *
 * Look at worker: weft_chan_recv fails only when the queue is closed and empty. The argument is the
 * number of jobs.
 */
#include "test-programs/common/sample.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <weft.h>

#define WORKERS 4
#define ROOM    100

static struct weft_chan *queue;
static atomic_int done;
static long jobs = 160;

static void worker(void *arg)
{
    long job;

    (void)arg;
    while (weft_chan_recv(queue, &job) == 0) {
        weft_sleep(10 * WEFT_MS);
        atomic_fetch_add(&done, 1);
    }
}

static void serve(void *arg)
{
    struct weft_waitgroup workers = {0};

    (void)arg;
    queue = weft_chan_new(sizeof(long), ROOM);
    for (int i = 0; i < WORKERS; i++)
        weft_waitgroup_go(&workers, worker, NULL);
    for (long i = 0; i < jobs; i++)
        weft_chan_send(queue, &i);
    weft_chan_close(queue);
    weft_waitgroup_wait(&workers);
    weft_chan_release(queue);
    puts(atomic_load(&done) == jobs ? "all jobs are done" : "stopped");
}

int main(int argc, char **argv)
{
    if (argc > 1)
        jobs = atol(argv[1]);
    return weft_run(serve, NULL) == 0 ? 0 : 1;
}
