/*
 * etcd_6873: stop holds the broadcasts' lock and waits for the drain task, which needs that lock to
 * hand out what it drained.
 */
#include "tests/kernels/kernel.h"

static struct weft_mutex lock;
static struct weft_chan *updates, *done;

static void drain(void *arg)
{
    while (weft_chan_recv(updates, NULL) == 0) {
        weft_mutex_lock(&lock); /* LEAK2 */
        weft_mutex_unlock(&lock);
    }
    weft_chan_close(done);
    (void)arg;
}

static void stop(void *arg)
{
    weft_mutex_lock(&lock); /* HELD */
    weft_chan_close(updates);
    if (fixed)
        weft_mutex_unlock(&lock);
    weft_chan_recv(done, NULL); /* LEAK */
    if (!fixed)
        weft_mutex_unlock(&lock);
    (void)arg;
}

static void test(void *arg)
{
    int update = 1;

    (void)arg;
    updates = weft_chan_new(sizeof(int), 1);
    done = weft_chan_new(0, 0);
    weft_chan_send(updates, &update);
    spawn(stop, NULL); /* SPAWN */
    settle();
    spawn(drain, NULL);
    settle();
    puts("stopped");
}

KERNEL(test)
