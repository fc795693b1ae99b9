/*
 * moby_28462: the daemon tells a container's monitor to stop while it holds the container's lock;
 * the monitor waits for that lock.
 */
#include "tests/kernels/kernel.h"

static struct weft_mutex container_lock;
static struct weft_chan *stop, *probing;

static void monitor(void *arg)
{
    weft_chan_close(probing);
    weft_yield();
    weft_mutex_lock(&container_lock); /* LEAK2 */
    weft_mutex_unlock(&container_lock);
    weft_chan_recv(stop, NULL);
    (void)arg;
}

static void state_changed(void *arg)
{
    char token = 0;

    weft_chan_recv(probing, NULL);
    weft_mutex_lock(&container_lock); /* HELD */
    if (fixed)
        weft_mutex_unlock(&container_lock);
    weft_chan_send(stop, &token); /* LEAK */
    if (!fixed)
        weft_mutex_unlock(&container_lock);
    (void)arg;
}

static void test(void *arg)
{
    (void)arg;
    stop = weft_chan_new(1, 0);
    probing = weft_chan_new(0, 0);
    spawn(state_changed, NULL); /* SPAWN */
    settle();
    spawn(monitor, NULL);
    settle();
    puts("changed");
}

KERNEL(test)
