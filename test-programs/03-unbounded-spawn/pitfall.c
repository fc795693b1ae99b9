/*
 * Each item of the input gets a task of its own, however many there are.
 *
 * Look at the loop in handle_all: nothing in it ever waits for a task to end.
 */
#include "test-programs/03-unbounded-spawn/items.h"
#include "test-programs/common/sample.h"

#include <stdio.h>
#include <weft.h>

static struct weft_waitgroup handled;

/* Needs to know how many there are, so it waits until the input has been read. */
static void handle(void *arg)
{
    weft_chan_recv(arg, NULL);
    handle_item();
    weft_waitgroup_done(&handled);
}

static void handle_all(void *arg)
{
    struct weft_chan *read_all = weft_chan_new(0, 0);

    (void)arg;
    weft_waitgroup_add(&handled, items);
    for (int i = 0; i < items; i++)
        MUST(weft_go(handle, read_all) == 0); /* SPAWN */
    weft_chan_close(read_all);
    weft_waitgroup_wait(&handled);
    weft_chan_release(read_all);
    printf("%d items\n", items);
}

int main(int argc, char **argv)
{
    read_arguments(argc, argv);
    return weft_run(handle_all, NULL) == 0 ? 0 : 1;
}
