/*
 * The mend of pitfall: the ticker goes with the call that made it, and the beat has a ticker too,
 * as a weft_tick is only for what lasts as long as the program.
 *
 * Look at the end of watch.
 */
#include "test-programs/common/sample.h"

#include <stdio.h>
#include <weft.h>

#define CALLS 20

static void watch(void)
{
    struct weft_ticker *ticker = weft_ticker_new(2 * WEFT_MS);

    for (int i = 0; i < 2; i++)
        weft_chan_recv(weft_ticker_chan(ticker), NULL);
    weft_ticker_free(ticker);
}

static void serve(void *arg)
{
    (void)arg;
    for (int i = 0; i < 2 * CALLS; i++)
        watch();
    printf("%d calls\n", CALLS);
}

int main(void)
{
    return weft_run(serve, NULL) == 0 ? 0 : 1;
}
