/*
 * kubernetes_1321: distribute sends to a watcher while it holds the lock; the watcher has had
 * enough and needs the lock to close its channel.
 */
#include "tests/kernels/kernel.h"

static struct weft_mutex lock;
static struct weft_chan *watcher, *stopping;

static void distribute(void *arg)
{
    int event = 1;
    struct weft_case cases[] = {WEFT_SEND(watcher, &event), WEFT_RECV(stopping, NULL)};

    weft_mutex_lock(&lock); /* HELD */
    if (fixed)
        weft_select(cases, 2, WEFT_FOREVER);
    else
        weft_chan_send(watcher, &event); /* LEAK */
    weft_mutex_unlock(&lock);
    (void)arg;
}

static void stop_watching(void *arg)
{
    weft_chan_close(stopping);
    weft_mutex_lock(&lock); /* LEAK2 */
    weft_chan_close(watcher);
    weft_mutex_unlock(&lock);
    (void)arg;
}

static void test(void *arg)
{
    (void)arg;
    watcher = weft_chan_new(sizeof(int), 0);
    stopping = weft_chan_new(0, 0);
    spawn(distribute, NULL); /* SPAWN */
    settle();
    spawn(stop_watching, NULL);
    settle();
    puts("stopped");
}

KERNEL(test)
