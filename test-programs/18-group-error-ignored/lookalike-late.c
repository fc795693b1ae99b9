/*
 * Looks like the mistake and is right: a task adds work after its maker has waited for the group,
 * but for a second round, which it is asked for and which is waited for too.
 *
 * Look at the second weft_waitgroup_wait.
 */
#include "test-programs/common/sample.h"

#include <stdatomic.h>
#include <stdio.h>
#include <weft.h>

#define WORKERS 10

static struct weft_waitgroup working;
static atomic_int results;

static void worker(void *arg)
{
    (void)arg;
    atomic_fetch_add(&results, 1);
}

static void dispatcher(void *arg)
{
    while (weft_chan_recv(arg, NULL) == 0) {
        for (int i = 0; i < WORKERS; i++)
            MUST(weft_waitgroup_go(&working, worker, NULL) == 0);
        weft_chan_recv(arg, NULL);
    }
}

static void work(void *arg)
{
    struct weft_chan *rounds = weft_chan_new(1, 0);
    struct weft_waitgroup dispatchers = {0};

    MUST(weft_waitgroup_go(&dispatchers, dispatcher, rounds) == 0);
    for (int i = 0; i < 2; i++) {
        weft_chan_send(rounds, &arg);
        weft_chan_send(rounds, &arg); /* taken when all of the round are counted */
        weft_waitgroup_wait(&working);
    }
    weft_chan_close(rounds);
    weft_waitgroup_wait(&dispatchers);
    weft_chan_release(rounds);
    printf("%d results\n", results);
}

int main(void)
{
    return weft_run(work, NULL) == 0 ? 0 : 1;
}
