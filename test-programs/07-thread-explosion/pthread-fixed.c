/*
 * The mend of pthread-pitfall: 60 threads make the look-ups one after the other.
 *
 * Look at worker.
 */
#include "test-programs/07-thread-explosion/lookups.h"

#include <pthread.h>

#define AT_ONCE 60

static atomic_int next_lookup;

static void *worker(void *arg)
{
    while (atomic_fetch_add(&next_lookup, 1) < LOOKUPS)
        look_up(arg);
    return NULL;
}

int main(void)
{
    pthread_t threads[AT_ONCE];

    for (int i = 0; i < AT_ONCE; i++)
        MUST(pthread_create(&threads[i], NULL, worker, NULL) == 0);
    for (int i = 0; i < AT_ONCE; i++)
        pthread_join(threads[i], NULL);
    lookups_done();
    return 0;
}
