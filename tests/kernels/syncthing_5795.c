/*
 * syncthing_5795: a callback that runs in the dispatcher closes the connection, and close waits
 * until the dispatcher has stopped: it waits for itself.
 */
#include "tests/kernels/kernel.h"

struct connection {
    struct weft_chan *dispatcher_stopped;
};

static void wait_stopped(void *arg)
{
    struct connection *connection = arg;

    weft_chan_recv(connection->dispatcher_stopped, NULL);
    puts("closed later");
}

static void connection_close(struct connection *connection)
{
    weft_chan_recv(connection->dispatcher_stopped, NULL); /* LEAK */
    puts("closed");
}

/* The callback: the other side sent a message that cannot be. */
static void on_message(struct connection *connection)
{
    if (fixed)
        spawn(wait_stopped, connection);
    else
        connection_close(connection);
}

static void dispatch(void *arg)
{
    struct connection *connection = arg;

    on_message(connection);
    weft_chan_close(connection->dispatcher_stopped);
}

static void test(void *arg)
{
    struct connection connection = {weft_chan_new(0, 0)};

    (void)arg;
    spawn(dispatch, &connection); /* SPAWN */
    settle();
    puts("ended");
}

KERNEL(test)
