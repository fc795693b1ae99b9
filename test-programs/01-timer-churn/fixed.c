/*
 * The mend of pitfall: one timer, made before the loop, is set again for each message.
 *
 * Look at receive: weft_timer_reset makes nothing. The argument is the number of messages.
 */
#include "test-programs/common/sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <weft.h>

static long messages = 100000;
static struct weft_chan *inbox;

static void produce(void *arg)
{
    (void)arg;
    for (long i = 0; i < messages; i++)
        weft_chan_send(inbox, &i);
    weft_chan_close(inbox);
}

static int receive(struct weft_timer *time_out, long *message)
{
    struct weft_case cases[] = {WEFT_RECV(inbox, message),
                                WEFT_RECV(weft_timer_chan(time_out), NULL)};

    weft_timer_reset(time_out, 60 * WEFT_S);
    return weft_select(cases, 2, WEFT_FOREVER) == 0 && cases[0].ok;
}

static void consume(void *arg)
{
    struct weft_timer *time_out = weft_timer_new(60 * WEFT_S);
    long message, sum = 0;

    (void)arg;
    inbox = weft_chan_new(sizeof message, 64);
    weft_go(produce, NULL);
    while (receive(time_out, &message))
        sum += message;
    weft_timer_free(time_out);
    weft_chan_release(inbox);
    printf("sum %ld\n", sum);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        messages = atol(argv[1]);
    return weft_run(consume, NULL) == 0 ? 0 : 1;
}
