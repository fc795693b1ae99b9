/*
 * The mend of pitfall: a request takes one of 60 places before its task is made, and gives it back
 * when the look-up is over.
 *
 * Look at the semaphore.
 */
#include "test-programs/07-thread-explosion/lookups.h"

#include <weft.h>

#define AT_ONCE 60

static struct weft_sem *places;

static void request(void *arg)
{
    MUST(weft_blocking(look_up, arg) == 0);
    weft_sem_release(places, 1);
}

static void serve(void *arg)
{
    places = weft_sem_new(AT_ONCE);
    for (int i = 0; i < LOOKUPS; i++) {
        MUST(weft_sem_acquire(places, NULL, 1) == 0);
        MUST(weft_go(request, arg) == 0);
    }
    MUST(weft_sem_acquire(places, NULL, AT_ONCE) == 0);
    weft_sem_free(places);
    lookups_done();
}

int main(void)
{
    return weft_run(serve, NULL) == 0 ? 0 : 1;
}
