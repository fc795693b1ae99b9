/*
 * Each item of the input gets a task of its own, however many there are.
 *
 * Look at the loop in handle_all: nothing in it ever waits for a task to end.
 */
#include "test-programs/common/sample.h"

#include <stdio.h>
#include <weft.h>

#define ITEMS 10000

static struct weft_waitgroup handled;

static void handle(void *arg)
{
    (void)arg;
    weft_sleep(200 * WEFT_MS);
    weft_waitgroup_done(&handled);
}

static void handle_all(void *arg)
{
    (void)arg;
    weft_waitgroup_add(&handled, ITEMS);
    for (int i = 0; i < ITEMS; i++)
        MUST(weft_go(handle, NULL) == 0); /* SPAWN */
    weft_waitgroup_wait(&handled);
    printf("%d items\n", ITEMS);
}

int main(void)
{
    return weft_run(handle_all, NULL) == 0 ? 0 : 1;
}
