/*
 * A thousand requests need a look-up that blocks; each makes it at once, and each holds an OS
 * thread while it lasts.
 *
 * Look at the weft_blocking in request: nothing says how many may be in it.
 */
#include "test-programs/07-thread-explosion/lookups.h"

#include <weft.h>

static struct weft_waitgroup requests;

static void request(void *arg)
{
    MUST(weft_blocking(look_up, arg) == 0); /* BLOCKS */
    weft_waitgroup_done(&requests);
}

static void serve(void *arg)
{
    weft_waitgroup_add(&requests, LOOKUPS);
    for (int i = 0; i < LOOKUPS; i++)
        MUST(weft_go(request, arg) == 0);
    weft_waitgroup_wait(&requests);
    lookups_done();
}

int main(void)
{
    return weft_run(serve, NULL) == 0 ? 0 : 1;
}
