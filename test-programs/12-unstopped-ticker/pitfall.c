/*
 * Each call watches something for a while by a ticker of its own, and returns without stopping it:
 * the tickers go on for nobody.
 *
 * Look at watch: weft_ticker_new has no weft_ticker_stop. (beat shows the other half: a weft_tick
 * cannot be stopped at all.)
 */
#include "test-programs/common/sample.h"

#include <stdio.h>
#include <weft.h>

#define CALLS 20

static void watch(void)
{
    struct weft_ticker *ticker = weft_ticker_new(2 * WEFT_MS); /* LEAK */

    for (int i = 0; i < 2; i++)
        weft_chan_recv(weft_ticker_chan(ticker), NULL);
}

static void beat(void)
{
    struct weft_chan *ticks = weft_tick(2 * WEFT_MS); /* TICK */

    for (int i = 0; i < 2; i++)
        weft_chan_recv(ticks, NULL);
}

static void serve(void *arg)
{
    (void)arg;
    for (int i = 0; i < CALLS; i++) {
        watch();
        beat();
    }
    printf("%d calls\n", CALLS);
}

int main(void)
{
    return weft_run(serve, NULL) == 0 ? 0 : 1;
}
