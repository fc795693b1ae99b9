/*
 * A loop that receives messages makes a time limit for each of them. The message comes at once, so
 * the limit is given up; its timer stays armed for a minute all the same.
 *
 * Look at receive: weft_after makes a timer, and releasing its channel does not stop it. The
 * argument is the number of messages.
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

static int receive(long *message)
{
    struct weft_chan *time_out = weft_after(60 * WEFT_S); /* CHURN */
    struct weft_case cases[] = {WEFT_RECV(inbox, message), WEFT_RECV(time_out, NULL)};
    int which = weft_select(cases, 2, WEFT_FOREVER);

    weft_chan_release(time_out);
    return which == 0 && cases[0].ok;
}

static void consume(void *arg)
{
    long message, sum = 0;

    (void)arg;
    inbox = weft_chan_new(sizeof message, 64);
    weft_go(produce, NULL);
    while (receive(&message))
        sum += message;
    weft_chan_release(inbox);
    printf("sum %ld\n", sum);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        messages = atol(argv[1]);
    return weft_run(consume, NULL) == 0 ? 0 : 1;
}
