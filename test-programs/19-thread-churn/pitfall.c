/*
 * Each request is served by a task that locks itself to an OS thread, for a library that keeps its
 * state in the thread. A task that ends locked takes its thread with it: a thread a request.
 *
 * Look at serve: the lock lasts as long as the task, and the task as long as one request.
 */
#include "test-programs/19-thread-churn/requests.h"

#include <weft.h>

static struct weft_waitgroup served;

static void serve(void *arg)
{
    weft_lock_thread(); /* CHURN */
    answer(*(int *)arg);
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
