/*
 * moby_7559: the loop of a UDP proxy takes the table's lock, fails to dial and goes on with the
 * next turn without giving it up: the second turn waits for itself.
 */
#include "tests/kernels/kernel.h"

static struct weft_mutex table_lock;

static int dial(void)
{
    return -1;
}

static void proxy_loop(void *arg)
{
    for (int turn = 0; turn < 3; turn++) {
        weft_mutex_lock(&table_lock); /* LEAK */
        if (dial() < 0) {
            if (fixed)
                weft_mutex_unlock(&table_lock);
            continue;
        }
        weft_mutex_unlock(&table_lock);
    }
    weft_chan_close(arg);
}

static void test(void *arg)
{
    struct weft_chan *done = weft_chan_new(0, 0);
    struct weft_case cases[] = {WEFT_RECV(done, NULL)};

    (void)arg;
    spawn(proxy_loop, done); /* SPAWN */
    weft_select(cases, 1, 5 * WEFT_MS);
    puts("proxied");
}

KERNEL(test)
