/*
 * grpc_795: a graceful stop that finds nothing to do locks again where it should unlock; whoever
 * stops next waits too.
 */
#include "tests/kernels/kernel.h"

static struct weft_mutex server_lock;
static bool stopped;

static void graceful_stop(void *arg)
{
    (void)arg;
    weft_mutex_lock(&server_lock); /* HELD */
    if (stopped) {
        if (!fixed)
            weft_mutex_lock(&server_lock); /* LEAK */
        weft_mutex_unlock(&server_lock);
        return;
    }
    stopped = true;
    weft_mutex_unlock(&server_lock);
}

static void test(void *arg)
{
    (void)arg;
    spawn(graceful_stop, NULL);
    settle();
    spawn(graceful_stop, NULL); /* SPAWN */
    settle();
    puts("stopped");
}

KERNEL(test)
