/*
 * leak-sem-served.c - the main thread waits for each of its jobs by a semaphore, and one job leaves
 * on the path of an error without a post. All else that the program does is over within moments;
 * then it hangs.
 */
#include "test-programs/common/sample.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>

#define JOBS 6
#define BAD  3

static sem_t done;

static void *job(void *arg)
{
    sleep_ms(1);
    if ((intptr_t)arg == BAD)
        return NULL;
    sem_post(&done); /* POST */
    return NULL;
}

static void run_jobs(void)
{
    pthread_t threads[JOBS];
    for (intptr_t i = 0; i < JOBS; i++)
        MUST(pthread_create(&threads[i], NULL, job, (void *)i) == 0);
    for (int i = 0; i < JOBS; i++)
        sem_wait(&done); /* LEAK */
    for (int i = 0; i < JOBS; i++)
        pthread_join(threads[i], NULL);
}

int main(void)
{
    MUST(sem_init(&done, 0, 0) == 0);
    run_jobs();
    puts("all done");
    return 0;
}
