/*
 * cockroach_6181: a method holds the read lock and formats a structure, whose own formatting takes
 * the read lock again; between the two, a sibling asked for the write lock.
 */
#include "tests/kernels/kernel.h"

static struct weft_rwmutex cache_lock;
static struct weft_chan *first_lock, *writer_waits;

static void format_range(void)
{
    if (!fixed)
        weft_rwmutex_rlock(&cache_lock); /* LEAK */
    puts("range");
    if (!fixed)
        weft_rwmutex_runlock(&cache_lock);
}

static void string(void *arg)
{
    (void)arg;
    weft_rwmutex_rlock(&cache_lock); /* HELD */
    weft_chan_close(first_lock);
    weft_chan_recv(writer_waits, NULL);
    format_range();
    weft_rwmutex_runlock(&cache_lock);
}

static void evict(void *arg)
{
    (void)arg;
    weft_chan_recv(first_lock, NULL);
    weft_chan_close(writer_waits);  /* with one worker, nobody runs before this task waits */
    weft_rwmutex_lock(&cache_lock); /* LEAK2 */
    weft_rwmutex_unlock(&cache_lock);
}

static void test(void *arg)
{
    (void)arg;
    first_lock = weft_chan_new(0, 0);
    writer_waits = weft_chan_new(0, 0);
    spawn(string, NULL); /* SPAWN */
    spawn(evict, NULL);
    settle();
    puts("ended");
}

KERNEL(test)
