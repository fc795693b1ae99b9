/*
 * Looks like the mistake and is right: each request locks its thread too, but for the one call that
 * needs it, and unlocks it: the thread goes on serving.
 *
 * Look at weft_unlock_thread.
 */
#include "test-programs/19-thread-churn/requests.h"

#include <weft.h>

static struct weft_waitgroup served;

static void serve(void *arg)
{
    weft_lock_thread();
    answer(*(int *)arg);
    weft_unlock_thread();
    weft_waitgroup_done(&served);
}

static void serve_all(void *arg)
{
    long began = now_ms();

    (void)arg;
    for (int i = 0; i < REQUESTS; i++) {
        weft_waitgroup_add(&served, 1);
        MUST(weft_go_copy(serve, &i, sizeof i) == 0);
        if (i % AT_ONCE == 0)
            weft_waitgroup_wait(&served);
    }
    weft_waitgroup_wait(&served);
    requests_done(began);
}

int main(void)
{
    return weft_run(serve_all, NULL) == 0 ? 0 : 1;
}
