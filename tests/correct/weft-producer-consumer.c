/*
 * weft-producer-consumer.c - a bounded queue of Weft's lock and conditions, closed at the end; once
 * and the rwmutex besides.
 */
#include "test-programs/common/sample.h"

#include <stdbool.h>
#include <stdio.h>
#include <weft.h>

#define ROOM  4
#define ITEMS 500

static struct weft_mutex lock;
static struct weft_cond not_empty, not_full;
static struct weft_once once;
static struct weft_rwmutex totals;
static int inside;
static bool closed;
static long sum;

static void set_up(void *arg)
{
    *(long *)arg = 0;
}

static void consume(void *arg)
{
    (void)arg;
    weft_once_do(&once, set_up, &sum);
    for (;;) {
        weft_mutex_lock(&lock);
        while (inside == 0 && !closed)
            weft_cond_wait(&not_empty, &lock);
        if (inside == 0)
            break;
        inside--;
        weft_cond_signal(&not_full);
        weft_mutex_unlock(&lock);
        weft_rwmutex_lock(&totals);
        sum++;
        weft_rwmutex_unlock(&totals);
    }
    weft_mutex_unlock(&lock);
}

static void produce(void *arg)
{
    (void)arg;
    for (int i = 0; i < ITEMS; i++) {
        weft_mutex_lock(&lock);
        while (inside == ROOM)
            weft_cond_wait(&not_full, &lock);
        inside++;
        weft_cond_signal(&not_empty);
        weft_mutex_unlock(&lock);
    }
}

static void test(void *arg)
{
    struct weft_waitgroup producers = {0}, consumers = {0};

    (void)arg;
    for (int i = 0; i < 3; i++) {
        MUST(weft_waitgroup_go(&consumers, consume, NULL) == 0);
        MUST(weft_waitgroup_go(&producers, produce, NULL) == 0);
    }
    weft_waitgroup_wait(&producers);
    weft_mutex_lock(&lock);
    closed = true;
    weft_cond_broadcast(&not_empty);
    weft_mutex_unlock(&lock);
    weft_waitgroup_wait(&consumers);
    weft_rwmutex_rlock(&totals);
    printf("%ld\n", sum);
    weft_rwmutex_runlock(&totals);
}

int main(void)
{
    return weft_run(test, NULL) == 0 ? 0 : 1;
}
