/*
 * Looks like the leak and is right: a pool whose workers are parked on a channel when the main task
 * returns, because they are there to be used again; and a second pool whose channel is closed.
 *
 * Look at worker: it receives without a limit, as the leaked task sends, but somebody who is still
 * there has served it before and can do so again.
 */
#include "test-programs/common/sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <weft.h>

#define WORKERS 4
#define ROUNDS  50

struct pool {
    struct weft_chan *jobs, *results;
    struct weft_waitgroup workers;
};

static void worker(void *arg)
{
    struct pool *pool = arg;
    int job;

    while (weft_chan_recv(pool->jobs, &job) == 0) {
        weft_sleep(WEFT_MS);
        weft_chan_send(pool->results, &job);
    }
    weft_waitgroup_done(&pool->workers);
}

static struct pool *pool_start(void)
{
    struct pool *pool = calloc(1, sizeof *pool);

    MUST(pool != NULL);
    pool->jobs = weft_chan_new(sizeof(int), 0);
    pool->results = weft_chan_new(sizeof(int), WORKERS);
    weft_waitgroup_add(&pool->workers, WORKERS);
    for (int i = 0; i < WORKERS; i++)
        MUST(weft_go(worker, pool) == 0);
    return pool;
}

static void pool_run(struct pool *pool, int jobs)
{
    for (int i = 0; i < jobs; i++)
        weft_chan_send(pool->jobs, &i);
    for (int i = 0; i < jobs; i++)
        weft_chan_recv(pool->results, NULL);
}

static void pool_close(struct pool *pool)
{
    weft_chan_close(pool->jobs);
    weft_waitgroup_wait(&pool->workers);
    weft_chan_release(pool->jobs);
    weft_chan_release(pool->results);
    free(pool);
}

static void serve(void *arg)
{
    struct pool *for_ever = pool_start();
    struct pool *closed = pool_start();

    (void)arg;
    for (int i = 0; i < ROUNDS; i++) {
        pool_run(for_ever, WORKERS);
        pool_run(closed, WORKERS);
    }
    pool_close(closed);
    printf("%d jobs\n", 2 * ROUNDS * WORKERS);
}

int main(void)
{
    return weft_run(serve, NULL) == 0 ? 0 : 1;
}
