/*
 * etcd_6857: a node's status is asked for by a request to its run loop; after the loop has stopped
 * nobody receives it.
 */
#include "tests/kernels/kernel.h"

#include <stdlib.h>

struct node {
    struct weft_chan *status, *stop, *done;
};

static void run(void *arg)
{
    struct node *node = arg;
    struct weft_chan *reply;
    int status = 1;

    for (;;) {
        struct weft_case cases[] = {WEFT_RECV(node->status, &reply), WEFT_RECV(node->stop, NULL)};
        if (weft_select(cases, 2, WEFT_FOREVER) == 1)
            break;
        weft_chan_send(reply, &status);
    }
    weft_chan_close(node->done);
}

static void ask_status(void *arg)
{
    struct node *node = arg;
    struct weft_chan *reply = weft_chan_new(sizeof(int), 1);
    struct weft_case cases[] = {WEFT_SEND(node->status, &reply), WEFT_RECV(node->done, NULL)};

    if (fixed)
        weft_select(cases, 2, WEFT_FOREVER);
    else
        weft_chan_send(node->status, &reply); /* LEAK */
    weft_chan_release(reply);
}

static void test(void *arg)
{
    struct node *node = malloc(sizeof *node);

    (void)arg;
    MUST(node != NULL);
    *node =
        (struct node){weft_chan_new(sizeof(void *), 0), weft_chan_new(0, 0), weft_chan_new(0, 0)};
    spawn(run, node);
    settle();
    weft_chan_close(node->stop);
    weft_chan_recv(node->done, NULL);
    spawn(ask_status, node); /* SPAWN */
    settle();
    puts("stopped");
}

KERNEL(test)
