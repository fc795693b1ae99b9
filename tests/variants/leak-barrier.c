/*
 * leak-barrier.c - a barrier for four, of which one left early: three wait for ever.
 */
#include "test-programs/common/sample.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define PARTIES 4

struct team {
    pthread_barrier_t phase_over;
    sem_t here;
};

static struct team *team;

static void *phase(void *arg)
{
    sem_post(&team->here);
    if ((intptr_t)arg == 0)
        return NULL;                         /* nothing to do for it, and it forgets the others */
    pthread_barrier_wait(&team->phase_over); /* LEAK */
    return NULL;
}

int main(void)
{
    pthread_t thread;

    team = malloc(sizeof *team);
    MUST(team != NULL);
    pthread_barrier_init(&team->phase_over, NULL, PARTIES);
    sem_init(&team->here, 0, 0);
    for (intptr_t i = 0; i < PARTIES; i++) {
        MUST(pthread_create(&thread, NULL, phase, (void *)i) == 0); /* SPAWN */
        pthread_detach(thread);
    }
    for (int i = 0; i < PARTIES; i++)
        sem_wait(&team->here);
    wait_until_others_wait();
    puts("phase started");
    return 0;
}
