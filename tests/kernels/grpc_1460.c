/*
 * grpc_1460: the keepalive task waits to be woken while it holds the transport's lock; the writer
 * that would wake it needs the lock first.
 */
#include "tests/kernels/kernel.h"

static struct weft_mutex transport_lock;
static struct weft_chan *awake;

static void keepalive(void *arg)
{
    (void)arg;
    weft_mutex_lock(&transport_lock); /* HELD */
    if (fixed)
        weft_mutex_unlock(&transport_lock);
    weft_chan_recv(awake, NULL); /* LEAK */
    if (!fixed)
        weft_mutex_unlock(&transport_lock);
    puts("woken");
}

static void new_stream(void *arg)
{
    char token = 0;

    (void)arg;
    weft_mutex_lock(&transport_lock); /* LEAK2 */
    weft_mutex_unlock(&transport_lock);
    weft_chan_try_send(awake, &token);
    puts("sent");
}

static void test(void *arg)
{
    (void)arg;
    awake = weft_chan_new(1, 0);
    spawn(keepalive, NULL); /* SPAWN */
    settle();
    spawn(new_stream, NULL);
    settle();
    puts("ended");
}

KERNEL(test)
