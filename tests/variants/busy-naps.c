/* busy-naps.c - a result is awaited by looking for it, with a short sleep between the looks. */
#include "test-programs/common/sample.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#define LOOKS 12000 /* it takes that many until the result is there */

static atomic_int looks, result;

static void *compute(void *arg)
{
    while (atomic_load(&looks) < LOOKS)
        sleep_ms(10);
    atomic_store(&result, 42);
    return arg;
}

static int wait_for(atomic_int *value)
{
    while (atomic_load(value) == 0) {
        atomic_fetch_add(&looks, 1);
        usleep(1); /* NAP */
    }
    return atomic_load(value);
}

int main(void)
{
    pthread_t thread;

    MUST(pthread_create(&thread, NULL, compute, NULL) == 0);
    printf("%d\n", wait_for(&result));
    pthread_join(thread, NULL);
    return 0;
}
