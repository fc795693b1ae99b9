/*
 * spawn-c11.c - a thread for each item by thrd_create, through a helper that detaches it.
 */
#include "test-programs/common/sample.h"

#include <stdatomic.h>
#include <stdio.h>
#include <threads.h>

#define ITEMS 1200

static atomic_int left = ITEMS;
static mtx_t lock;
static cnd_t read_all;
static int items_read;

/* Needs to know how many there are, so it waits until the input has been read. */
static int handle(void *arg)
{
    (void)arg;
    mtx_lock(&lock);
    while (items_read < ITEMS)
        cnd_wait(&read_all, &lock);
    mtx_unlock(&lock);
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
    mtx_init(&lock, mtx_plain);
    cnd_init(&read_all);
    for (int i = 0; i < ITEMS; i++)
        submit();
    mtx_lock(&lock);
    items_read = ITEMS;
    cnd_broadcast(&read_all);
    mtx_unlock(&lock);
    while (atomic_load(&left) > 0)
        sleep_ms(1);
    puts("handled");
    return 0;
}
