/*
 * c11-queue.c - producer and consumer with C11 threads, closed and joined; thread-specific storage
 * and call_once besides.
 */
#include "test-programs/common/sample.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <threads.h>
#include <time.h>

static mtx_t lock;
static cnd_t changed;
static int items;
static bool closed;
static tss_t scratch;
static once_flag once = ONCE_FLAG_INIT;

static void make_key(void)
{
    MUST(tss_create(&scratch, free) == thrd_success);
}

static int consume(void *arg)
{
    int taken = 0;

    (void)arg;
    call_once(&once, make_key);
    tss_set(scratch, malloc(100));
    mtx_lock(&lock);
    for (;;) {
        while (items == 0 && !closed)
            cnd_wait(&changed, &lock);
        if (items == 0)
            break;
        items--;
        taken++;
        cnd_broadcast(&changed);
    }
    mtx_unlock(&lock);
    return taken;
}

static void produce(int n)
{
    for (int i = 0; i < n; i++) {
        mtx_lock(&lock);
        while (items >= 4)
            cnd_wait(&changed, &lock);
        items++;
        cnd_broadcast(&changed);
        mtx_unlock(&lock);
    }
}

int main(void)
{
    thrd_t threads[3];
    int sum = 0;

    mtx_init(&lock, mtx_timed);
    cnd_init(&changed);
    for (int i = 0; i < 3; i++)
        MUST(thrd_create(&threads[i], consume, NULL) == thrd_success);
    produce(600);
    mtx_lock(&lock);
    closed = true;
    cnd_broadcast(&changed);
    mtx_unlock(&lock);
    for (int i = 0; i < 3; i++) {
        int taken;

        thrd_join(threads[i], &taken);
        sum += taken;
    }
    printf("%d\n", sum);
    return 0;
}
