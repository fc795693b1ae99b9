/*
 * moby_4951: delete drops the set's lock for a moment while it keeps the device's, and takes it
 * again; a task that holds the set's lock and waits for the device closes the circle.
 */
#include "tests/kernels/kernel.h"

static struct weft_mutex set_lock, device_lock;
static struct weft_chan *dropped, *taken;

static void delete_device(void *arg)
{
    weft_mutex_lock(&set_lock);
    weft_mutex_lock(&device_lock);
    weft_mutex_unlock(&set_lock);
    weft_chan_close(dropped);
    if (fixed)
        weft_mutex_unlock(&device_lock);
    weft_chan_recv(taken, NULL);
    weft_mutex_lock(&set_lock); /* LEAK */
    if (fixed)
        weft_mutex_lock(&device_lock);
    weft_mutex_unlock(&set_lock);
    weft_mutex_unlock(&device_lock);
    (void)arg;
}

static void remove_device(void *arg)
{
    weft_chan_recv(dropped, NULL);
    weft_mutex_lock(&set_lock);
    weft_chan_close(taken);
    weft_mutex_lock(&device_lock); /* LEAK2 */
    weft_mutex_unlock(&device_lock);
    weft_mutex_unlock(&set_lock);
    (void)arg;
}

static void test(void *arg)
{
    (void)arg;
    dropped = weft_chan_new(0, 0);
    taken = weft_chan_new(0, 0);
    spawn(delete_device, NULL); /* SPAWN */
    spawn(remove_device, NULL);
    settle();
    puts("deleted");
}

KERNEL(test)
