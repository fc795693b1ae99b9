/*
 * waitgroup-weft-handler.c - a server's shutdown waits for its requests, but each request counts
 * itself in its handler, through a helper, after it has read its head.
 */
#include "test-programs/common/weft_sample.h"

#include <stdio.h>

#define REQUESTS 4

struct server {
    struct weft_waitgroup requests;
    struct weft_chan *heads;
};

static void request_begins(struct server *server)
{
    weft_waitgroup_add(&server->requests, 1); /* LATE */
}

static void handle(void *arg)
{
    struct server *server = arg;

    weft_chan_recv(server->heads, NULL);
    request_begins(server);
    weft_sleep(WEFT_MS);
    weft_waitgroup_done(&server->requests);
}

static void serve(void *arg)
{
    static struct server server;

    server.heads = weft_chan_new(1, 0);
    for (int i = 0; i < REQUESTS; i++)
        MUST(weft_go(handle, &server) == 0);
    weft_waitgroup_wait(&server.requests);
    printf("shut down\n");
    for (int i = 0; i < REQUESTS; i++)
        weft_chan_send(server.heads, &arg);
    wait_until_tasks_wait();
    weft_chan_release(server.heads);
}

int main(void)
{
    return weft_run(serve, NULL) == 0 ? 0 : 1;
}
