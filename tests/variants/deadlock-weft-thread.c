/*
 * deadlock-weft-thread.c - a plain thread and a task take the same two mutexes of the runtime, each
 * in its own order.
 */
#include "test-programs/common/sample.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <weft.h>

static struct weft_mutex ledger, journal;
static atomic_int holding;

static void await_both(void)
{
    holding++;
    while (holding < 2)
        weft_sleep(WEFT_MS);
}

static void *post(void *arg)
{
    weft_mutex_lock(&ledger); /* LEDGER */
    await_both();
    weft_mutex_lock(&journal); /* THREAD */
    return arg;
}

static void audit(void *arg)
{
    (void)arg;
    weft_mutex_lock(&journal); /* JOURNAL */
    await_both();
    weft_mutex_lock(&ledger); /* TASK */
}

static void test(void *arg)
{
    pthread_t thread;

    (void)arg;
    MUST(pthread_create(&thread, NULL, post, NULL) == 0);
    MUST(weft_go(audit, NULL) == 0);
    do
        weft_sleep(50 * WEFT_MS);
    while (holding < 2);
    wait_until_others_wait();
    puts("audited");
}

int main(void)
{
    return weft_run(test, NULL) == 0 ? 0 : 1;
}
