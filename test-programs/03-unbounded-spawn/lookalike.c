/*
 * Looks like the mistake and is right: a task for each item, and 1,200 of them at once, but never
 * more: the loop waits for one to end before it makes the next.
 *
 * Look at the send to `room` before weft_go.
 */
#include "test-programs/common/sample.h"

#include <stdio.h>
#include <weft.h>

#define ITEMS 10000
#define LIMIT 1200

static struct weft_chan *room;

/* Items take from 10 to 50 ms, as it comes. */
static void handle(void *arg)
{
    weft_sleep((10 + *(int *)arg * 7919 % 40) * WEFT_MS);
    weft_chan_recv(room, NULL);
}

static void handle_all(void *arg)
{
    char token = 0;

    (void)arg;
    room = weft_chan_new(sizeof token, LIMIT);
    for (int i = 0; i < ITEMS; i++) {
        weft_chan_send(room, &token);
        MUST(weft_go_copy(handle, &i, sizeof i) == 0);
    }
    for (int i = 0; i < LIMIT; i++)
        weft_chan_send(room, &token);
    weft_chan_release(room);
    printf("%d items\n", ITEMS);
}

int main(void)
{
    return weft_run(handle_all, NULL) == 0 ? 0 : 1;
}
