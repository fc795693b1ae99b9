/*
 * The mend of pthread-pitfall: one thread tries one server after the other, a little later each
 * time.
 *
 * Look at the loop in attempt.
 */
#include "test-programs/common/sample.h"

#include <pthread.h>
#include <stdio.h>

#define ATTEMPTS 7

static int call_server(void)
{
    sleep_ms(2);
    return -1; /* they are all down */
}

static void *attempt(void *arg)
{
    for (int i = 0; i < ATTEMPTS && call_server() != 0; i++)
        sleep_ms(i);
    return arg;
}

int main(void)
{
    pthread_t thread;

    MUST(pthread_create(&thread, NULL, attempt, NULL) == 0);
    pthread_join(thread, NULL);
    printf("failed\n");
    return 0;
}
