/*
 * Looks like the mistake and is right: a thread for each item, and 1,200 of them at once, but never
 * more: the loop waits for one to end before it makes the next.
 *
 * Look at the sem_wait before pthread_create.
 */
#include "test-programs/common/sample.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>

#define ITEMS 2400
#define LIMIT 1200

static sem_t room;

/* Items take from 100 to 500 ms, as it comes. */
static void *handle(void *arg)
{
    sleep_ms(100 + (int)((intptr_t)arg * 7919 % 400));
    sem_post(&room);
    return NULL;
}

int main(void)
{
    pthread_attr_t attributes;
    pthread_t thread;

    sem_init(&room, 0, LIMIT);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 64 * 1024);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    for (intptr_t i = 0; i < ITEMS; i++) {
        sem_wait(&room);
        MUST(pthread_create(&thread, &attributes, handle, (void *)i) == 0);
    }
    for (int i = 0; i < LIMIT; i++)
        sem_wait(&room);
    printf("%d items\n", ITEMS);
    return 0;
}
