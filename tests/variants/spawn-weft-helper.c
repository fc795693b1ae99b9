/*
 * spawn-weft-helper.c - a task for each message that comes in, by weft_waitgroup_go in a helper:
 * the receiver waits for messages, but never for its tasks.
 */
#include "test-programs/common/sample.h"

#include <stdio.h>
#include <weft.h>

#define MESSAGES 4000

static struct weft_waitgroup handlers;

static struct weft_chan *received_all;

static void handle(void *arg)
{
    (void)arg;
    weft_chan_recv(received_all, NULL);
    weft_sleep(WEFT_MS);
}

static void dispatch(void)
{
    MUST(weft_waitgroup_go(&handlers, handle, NULL) == 0); /* SPAWN */
}

static void receive(void *arg)
{
    int message;

    while (weft_chan_recv(arg, &message) == 0)
        dispatch();
}

static void test(void *arg)
{
    struct weft_chan *messages = weft_chan_new(sizeof(int), 16);
    struct weft_waitgroup receivers = {0};

    (void)arg;
    received_all = weft_chan_new(0, 0);
    MUST(weft_waitgroup_go(&receivers, receive, messages) == 0);
    for (int i = 0; i < MESSAGES; i++)
        weft_chan_send(messages, &i);
    weft_chan_close(messages);
    weft_waitgroup_wait(&receivers);
    weft_chan_close(received_all);
    weft_waitgroup_wait(&handlers);
    weft_chan_release(received_all);
    weft_chan_release(messages);
    puts("received");
}

int main(void)
{
    return weft_run(test, NULL) == 0 ? 0 : 1;
}
