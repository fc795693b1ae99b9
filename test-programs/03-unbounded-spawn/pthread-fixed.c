/*
 * The mend of pthread-pitfall: sixteen workers take the items one after the other.
 *
 * Look at worker.
 */
#include "test-programs/common/sample.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#define ITEMS   1500
#define WORKERS 16

static atomic_int next_item;

static void *worker(void *arg)
{
    while (atomic_fetch_add(&next_item, 1) < ITEMS)
        sleep_ms(1);
    return arg;
}

int main(void)
{
    pthread_t threads[WORKERS];

    for (int i = 0; i < WORKERS; i++)
        MUST(pthread_create(&threads[i], NULL, worker, NULL) == 0);
    for (int i = 0; i < WORKERS; i++)
        pthread_join(threads[i], NULL);
    printf("%d items\n", ITEMS);
    return 0;
}
