/*
 * cockroach_10214: heartbeats take the coalescing lock and then the replica's; a tick takes them
 * the other way round.
 */
#include "tests/kernels/kernel.h"

static struct weft_mutex coalesced_lock, raft_lock;
static struct weft_chan *both_hold_one;

/* Makes the meeting sure: each waits here until both have their first lock. */
static void meet(void)
{
    static int here;

    if (++here == 2)
        weft_chan_close(both_hold_one);
    weft_chan_recv(both_hold_one, NULL);
}

static void send_heartbeats(void *arg)
{
    weft_mutex_lock(&coalesced_lock); /* HELD */
    if (fixed)
        weft_mutex_unlock(&coalesced_lock);
    meet();
    weft_mutex_lock(&raft_lock); /* LEAK */
    weft_mutex_unlock(&raft_lock);
    if (!fixed)
        weft_mutex_unlock(&coalesced_lock);
    (void)arg;
}

static void tick(void *arg)
{
    weft_mutex_lock(&raft_lock);
    meet();
    weft_mutex_lock(&coalesced_lock); /* LEAK2 */
    weft_mutex_unlock(&coalesced_lock);
    weft_mutex_unlock(&raft_lock);
    (void)arg;
}

static void test(void *arg)
{
    (void)arg;
    both_hold_one = weft_chan_new(0, 0);
    spawn(send_heartbeats, NULL); /* SPAWN */
    spawn(tick, NULL);
    settle();
    puts("ticked");
}

KERNEL(test)
