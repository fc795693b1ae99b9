/*
 * The mend of pthread-pitfall: four threads live as long as there are requests, and take one after
 * the other.
 *
 * Look at server: it takes the next request where the other's thread ended.
 */
#include "test-programs/19-thread-churn/requests.h"

#include <pthread.h>

static atomic_int next_request;

static void *server(void *arg)
{
    int request;

    while ((request = atomic_fetch_add(&next_request, 1)) < REQUESTS)
        answer(request);
    return arg;
}

int main(void)
{
    pthread_t servers[AT_ONCE];
    long began = now_ms();

    for (int i = 0; i < AT_ONCE; i++)
        MUST(pthread_create(&servers[i], NULL, server, NULL) == 0);
    for (int i = 0; i < AT_ONCE; i++)
        pthread_join(servers[i], NULL);
    requests_done(began);
    return 0;
}
