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

static sem_t room, answers;

/* The answers come one by one, whenever somebody has to wait. */
static void *handle(void *arg)
{
    sem_wait(&answers);
    sem_post(&room);
    return arg;
}

int main(void)
{
    pthread_attr_t attributes;
    pthread_t thread;

    sem_init(&room, 0, LIMIT);
    sem_init(&answers, 0, 0);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 64 * 1024);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    for (intptr_t i = 0; i < ITEMS; i++) {
        if (sem_trywait(&room) != 0) {
            sem_post(&answers);
            sem_wait(&room);
        }
        MUST(pthread_create(&thread, &attributes, handle, (void *)i) == 0);
    }
    for (int i = 0; i < LIMIT; i++)
        sem_post(&answers);
    for (int i = 0; i < LIMIT; i++)
        sem_wait(&room);
    printf("%d items\n", ITEMS);
    return 0;
}
