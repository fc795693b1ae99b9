/*
 * weft-semaphores.c - channels as semaphores, in each of the ways: the token is taken by a send or
 * by a receive, by who dispatches or by who works, and all tokens are there at the end.
 */
#include "test-programs/common/sample.h"

#include <stdio.h>
#include <weft.h>

#define LIMIT 6
#define ITEMS 60

static struct weft_chan *jobs, *sends, *receives, *held_by_send, *held_by_receive;
static int token = 1;

static void hold(void)
{
    int taken;

    weft_chan_send(held_by_send, &token);
    weft_chan_recv(held_by_receive, &taken);
    weft_sleep(WEFT_US * 100);
    weft_chan_send(held_by_receive, &taken);
    weft_chan_recv(held_by_send, &taken);
}

/* A task for each item: gives back what the loop took. */
static void item(void *arg)
{
    int taken;

    (void)arg;
    hold();
    weft_chan_recv(sends, &taken);
}

/* Some that live on. */
static void worker(void *arg)
{
    int job;

    (void)arg;
    while (weft_chan_recv(jobs, &job) == 0) {
        hold();
        weft_chan_send(receives, &token);
    }
}

static struct weft_chan *full_of_tokens(void)
{
    struct weft_chan *c = weft_chan_new(sizeof token, LIMIT);

    for (int i = 0; i < LIMIT; i++)
        weft_chan_send(c, &token);
    return c;
}

static void test(void *arg)
{
    struct weft_waitgroup workers = {0};
    int taken;

    (void)arg;
    jobs = weft_chan_new(sizeof(int), 0);
    sends = weft_chan_new(sizeof token, LIMIT);
    held_by_send = weft_chan_new(sizeof token, LIMIT);
    receives = full_of_tokens();
    held_by_receive = full_of_tokens();
    for (int i = 0; i < 2 * LIMIT; i++)
        weft_waitgroup_go(&workers, worker, NULL);
    for (int i = 0; i < ITEMS; i++) {
        weft_chan_send(sends, &token);
        weft_go(item, NULL);
        weft_chan_recv(receives, &taken);
        weft_chan_send(jobs, &i);
    }
    weft_chan_close(jobs);
    weft_waitgroup_wait(&workers);
    for (int i = 0; i < LIMIT; i++)
        weft_chan_send(sends, &token);
    weft_chan_release(jobs);
    weft_chan_release(sends);
    weft_chan_release(receives);
    weft_chan_release(held_by_send);
    weft_chan_release(held_by_receive);
    puts("all tokens are there");
}

int main(void)
{
    return weft_run(test, NULL) == 0 ? 0 : 1;
}
