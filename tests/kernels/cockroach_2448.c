/*
 * cockroach_2448: two loops pass messages to each other by channels without room, and both are
 * sending: each waits for the other to receive.
 */
#include "tests/kernels/kernel.h"

static struct weft_chan *events, *callbacks;

static void store_loop(void *arg)
{
    int event = 1;

    (void)arg;
    weft_chan_send(events, &event); /* LEAK */
    weft_chan_recv(callbacks, NULL);
    puts("stored");
}

static void raft_loop(void *arg)
{
    int callback = 2;

    (void)arg;
    weft_chan_send(callbacks, &callback); /* LEAK2 */
    weft_chan_recv(events, NULL);
    puts("raft");
}

static void test(void *arg)
{
    (void)arg;
    events = weft_chan_new(sizeof(int), fixed ? 1 : 0);
    callbacks = weft_chan_new(sizeof(int), fixed ? 1 : 0);
    spawn(store_loop, NULL); /* SPAWN */
    spawn(raft_loop, NULL);
    settle();
    puts("ended");
}

KERNEL(test)
