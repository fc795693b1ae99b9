/*
 * joined-late.c - threads that have a helper each, which they join as their thread-local data is
 * torn down, when their function is over (so does a thread_local std::jthread).
 */
#include "test-programs/common/sample.h"

#include <pthread.h>
#include <stdio.h>

#define THREADS 30

static pthread_key_t own;
static pthread_t helpers[THREADS];
static int joined;

static void *help(void *arg)
{
    sleep_ms(2); /* some are still there when they are joined */
    return arg;
}

static void torn_down(void *helper)
{
    MUST(pthread_join(*(pthread_t *)helper, NULL) == 0);
    joined++;
}

static void *serve(void *helper)
{
    MUST(pthread_create(helper, NULL, help, NULL) == 0);
    MUST(pthread_setspecific(own, helper) == 0);
    return NULL;
}

int main(void)
{
    MUST(pthread_key_create(&own, torn_down) == 0);
    for (int i = 0; i < THREADS; i++) {
        pthread_t thread;
        MUST(pthread_create(&thread, NULL, serve, &helpers[i]) == 0);
        MUST(pthread_join(thread, NULL) == 0);
    }
    printf("%d joined\n", joined);
    return 0;
}
