/*
 * istio_18454: stop says that the timer was not running, so its channel is drained; but its value
 * was received before, and there is none to come.
 */
#include "tests/kernels/kernel.h"

static void debounce(void *arg)
{
    struct weft_timer *timer = weft_timer_new(WEFT_MS);

    weft_chan_recv(weft_timer_chan(timer), NULL);
    if (!weft_timer_stop(timer) && !fixed)
        weft_chan_recv(weft_timer_chan(timer), NULL); /* LEAK */
    weft_timer_free(timer);
    weft_chan_close(arg);
}

static void test(void *arg)
{
    struct weft_chan *pushed = weft_chan_new(0, 0);
    struct weft_case cases[] = {WEFT_RECV(pushed, NULL)};

    (void)arg;
    spawn(debounce, pushed); /* SPAWN */
    weft_select(cases, 1, 200 * WEFT_MS);
    puts("pushed");
}

KERNEL(test)
