/*
 * moby_33293: a function makes an error channel without room, fails at once, and sends the error
 * before it has returned the channel to anybody who could receive it.
 */
#include "tests/kernels/kernel.h"

static struct weft_chan *wait_container(void)
{
    struct weft_chan *errors = weft_chan_new(sizeof(int), fixed ? 1 : 0);
    int error = -1;

    weft_chan_send(errors, &error); /* LEAK */
    return errors;
}

static void attach(void *arg)
{
    struct weft_chan *errors = wait_container();

    weft_chan_recv(errors, NULL);
    weft_chan_release(errors);
    weft_waitgroup_done(arg);
}

static void test(void *arg)
{
    struct weft_waitgroup attached = {0};

    (void)arg;
    weft_waitgroup_add(&attached, 1);
    spawn(attach, &attached); /* SPAWN */
    settle();
    if (fixed)
        weft_waitgroup_wait(&attached);
    puts("attached");
}

KERNEL(test)
