/*
 * leak-weft-thread.c - each handler hands its channel to a plain thread, which waits there for the
 * outcome, and leaves without one.
 */
#include "test-programs/common/sample.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <weft.h>

#define HANDLERS 6

static atomic_int begun;

static void *await_outcome(void *outcome)
{
    begun++;
    weft_chan_recv(outcome, NULL); /* LEAK */
    return NULL;
}

static void handle(void *arg)
{
    pthread_t thread;

    (void)arg;
    MUST(pthread_create(&thread, NULL, await_outcome, weft_chan_new(0, 0)) == 0); /* SPAWN */
    MUST(pthread_detach(thread) == 0);
}

static void test(void *arg)
{
    (void)arg;
    for (int i = 0; i < HANDLERS; i++)
        MUST(weft_go(handle, NULL) == 0);
    do
        weft_sleep(10 * WEFT_MS);
    while (begun < HANDLERS);
    wait_until_others_wait();
    puts("handled");
}

int main(void)
{
    return weft_run(test, NULL) == 0 ? 0 : 1;
}
