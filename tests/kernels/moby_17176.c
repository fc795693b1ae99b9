/*
 * moby_17176: a path of the device mapper returns with the lock taken when there is nothing to do;
 * a later task waits for it, while the parent leaves by a time-out.
 */
#include "tests/kernels/kernel.h"

static struct weft_mutex devices_lock;
static int deletions;

static void clean_deleted(void)
{
    weft_mutex_lock(&devices_lock); /* HELD */
    if (deletions == 0) {
        if (fixed)
            weft_mutex_unlock(&devices_lock);
        return;
    }
    deletions = 0;
    weft_mutex_unlock(&devices_lock);
}

static void remove_device(void *arg)
{
    clean_deleted();
    weft_chan_close(arg);
}

static void add_device(void *arg)
{
    weft_mutex_lock(&devices_lock); /* LEAK */
    deletions++;
    weft_mutex_unlock(&devices_lock);
    weft_chan_close(arg);
}

static void test(void *arg)
{
    struct weft_chan *removed = weft_chan_new(0, 0), *added = weft_chan_new(0, 0);
    struct weft_case cases[] = {WEFT_RECV(added, NULL)};

    (void)arg;
    spawn(remove_device, removed);
    weft_chan_recv(removed, NULL);
    spawn(add_device, added); /* SPAWN */
    weft_select(cases, 1, 5 * WEFT_MS);
    puts("removed");
}

KERNEL(test)
