/*
 * Each request gets a thread of its own, for a few microseconds of work.
 *
 * Look at the loop in main: a thread is made, and is gone a moment later.
 */
#include "test-programs/19-thread-churn/requests.h"

#include <pthread.h>
#include <stdint.h>

static void *serve(void *arg)
{
    answer((int)(intptr_t)arg);
    return NULL;
}

int main(void)
{
    long began = now_ms();

    for (intptr_t i = 0; i < REQUESTS; i++) {
        pthread_t thread;
        MUST(pthread_create(&thread, NULL, serve, (void *)i) == 0); /* CHURN */
        pthread_join(thread, NULL);
    }
    requests_done(began);
    return 0;
}
