/*
 * A thread for each of a thousand look-ups that block, all at once.
 *
 * Look at the loop in main: nothing says how many may be in look_up.
 */
#include "test-programs/07-thread-explosion/lookups.h"

#include <pthread.h>

static void *request(void *arg)
{
    look_up(arg);
    return NULL;
}

int main(void)
{
    pthread_t threads[LOOKUPS];

    for (int i = 0; i < LOOKUPS; i++)
        MUST(pthread_create(&threads[i], NULL, request, NULL) == 0); /* SPAWN */
    for (int i = 0; i < LOOKUPS; i++)
        pthread_join(threads[i], NULL);
    lookups_done();
    return 0;
}
