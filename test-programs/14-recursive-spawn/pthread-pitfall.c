/*
 * A call that fails is tried again, at two servers, each in a thread of its own; and so is each of
 * these. Every round of failures doubles the number of threads.
 *
 * Look at the pthread_create in attempt: the one who retries does not wait, and nobody counts.
 */
#include "test-programs/common/sample.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define ATTEMPTS 7
#define CALLS    ((1 << ATTEMPTS) - 1)

int servers = 2; /* as configured */
static sem_t tried;

static int call_server(void)
{
    sleep_ms(2);
    return -1; /* they are all down */
}

static void *attempt(void *arg)
{
    intptr_t number = (intptr_t)arg + 1;

    bool again = call_server() != 0 && number < ATTEMPTS;
    for (int i = 0; again && i < servers; i++) {
        pthread_t thread;
        MUST(pthread_create(&thread, NULL, attempt, (void *)number) == 0); /* SPAWN */
        pthread_detach(thread);
    }
    sem_post(&tried);
    return NULL;
}

int main(void)
{
    sem_init(&tried, 0, 0);
    attempt(NULL);
    for (int i = 0; i < CALLS; i++)
        sem_wait(&tried);
    printf("failed\n");
    return 0;
}
