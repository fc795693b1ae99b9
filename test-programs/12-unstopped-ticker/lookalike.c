/*
 * Looks like the leak and is right: one ticker is used for the life of the program and stopped; a
 * time-out is set again a thousand times and never fires; time limits of selects end by themselves.
 *
 * Look at serve: what it makes, it stops.
 */
#include "test-programs/common/sample.h"

#include <stdio.h>
#include <weft.h>

#define TURNS 50

static void serve(void *arg)
{
    struct weft_ticker *ticker = weft_ticker_new(2 * WEFT_MS);
    struct weft_timer *time_out = weft_timer_new(60 * WEFT_S);
    struct weft_chan *quiet = weft_chan_new(0, 0);

    (void)arg;
    for (int i = 0; i < TURNS; i++) {
        struct weft_case cases[] = {WEFT_RECV(weft_ticker_chan(ticker), NULL),
                                    WEFT_RECV(weft_timer_chan(time_out), NULL)};
        struct weft_case nothing[] = {WEFT_RECV(quiet, NULL)};

        for (int j = 0; j < 20; j++)
            weft_timer_reset(time_out, 60 * WEFT_S);
        MUST(weft_select(cases, 2, WEFT_FOREVER) == 0);
        weft_select(nothing, 1, WEFT_MS);
    }
    weft_ticker_stop(ticker);
    weft_ticker_free(ticker);
    weft_timer_free(time_out);
    weft_chan_release(quiet);
    printf("%d turns\n", TURNS);
}

int main(void)
{
    return weft_run(serve, NULL) == 0 ? 0 : 1;
}
