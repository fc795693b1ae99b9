/*
 * ticker-weft-owner-ended.c - each connection's task makes a ticker for its pings, and ends with
 * the connection; the tickers tick on.
 */
#include "test-programs/common/sample.h"

#include <stdio.h>
#include <weft.h>

#define CONNECTIONS 15

static struct weft_ticker *ping_ticker(void)
{
    struct weft_ticker *ticker = weft_ticker_new(2 * WEFT_MS); /* LEAK */

    return ticker;
}

static void connection(void *arg)
{
    struct weft_ticker *pings = ping_ticker();

    (void)arg;
    for (int i = 0; i < 3; i++)
        weft_chan_recv(weft_ticker_chan(pings), NULL);
}

static void test(void *arg)
{
    struct weft_waitgroup connections = {0};

    (void)arg;
    for (int i = 0; i < CONNECTIONS; i++)
        MUST(weft_waitgroup_go(&connections, connection, NULL) == 0);
    weft_waitgroup_wait(&connections);
    weft_sleep(10 * WEFT_MS);
    puts("disconnected");
}

int main(void)
{
    return weft_run(test, NULL) == 0 ? 0 : 1;
}
