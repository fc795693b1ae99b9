/*
 * busy-weft-default.c - a select with a default case in a loop: the default
 * makes it return at once.
 */
#include "test-programs/common/sample.h"

#include <stdio.h>
#include <weft.h>

static struct weft_chan *stop;

static void pump(void *arg)
{
    struct weft_waitgroup *pumps = arg;
    struct weft_case cases[] = {WEFT_RECV(stop, NULL), WEFT_DEFAULT};

    while (weft_select(cases, 2, WEFT_FOREVER) != 0) /* TRY */
        ;
    weft_waitgroup_done(pumps);
}

static void run(void *arg)
{
    struct weft_waitgroup pumps = {0};

    (void)arg;
    stop = weft_chan_new(0, 0);
    weft_waitgroup_add(&pumps, 1);
    MUST(weft_go(pump, &pumps) == 0);
    do
        weft_sleep(400 * WEFT_MS);
    while (!has_burned_ms(100));
    weft_chan_close(stop);
    weft_waitgroup_wait(&pumps);
    weft_chan_release(stop);
    printf("stopped\n");
}

int main(void)
{
    return weft_run(run, NULL) == 0 ? 0 : 1;
}
