/*
 * spawn-c11.c - a thread for each item by thrd_create, through a helper that detaches it.
 */
#include "test-programs/common/sample.h"

#include <stdatomic.h>
#include <stdio.h>
#include <threads.h>

#define ITEMS 1200

static atomic_int left = ITEMS;

static int handle(void *arg)
{
    (void)arg;
    sleep_ms(400);
    atomic_fetch_sub(&left, 1);
    return 0;
}

static void submit(void)
{
    thrd_t thread;

    MUST(thrd_create(&thread, handle, NULL) == thrd_success); /* SPAWN */
    thrd_detach(thread);
}

int main(void)
{
    for (int i = 0; i < ITEMS; i++)
        submit();
    while (atomic_load(&left) > 0)
        sleep_ms(1);
    puts("handled");
    return 0;
}
