/*
 * leak-sem.c - the leak by a semaphore of its own for each job, taken in a helper; the error path
 * of the caller does not post it.
 */
#include "test-programs/common/sample.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define JOBS 20

struct job {
    sem_t started, go;
    bool valid;
};

static void wait_for_go(struct job *job)
{
    sem_post(&job->started);
    while (sem_wait(&job->go) != 0) /* LEAK */
        ;
}

static void *run_job(void *arg)
{
    wait_for_go(arg);
    free(arg);
    return NULL;
}

static void start_job(int number)
{
    struct job *job = calloc(1, sizeof *job);
    pthread_t thread;

    MUST(job != NULL);
    sem_init(&job->started, 0, 0);
    sem_init(&job->go, 0, 0);
    job->valid = number % 2 == 0;
    MUST(pthread_create(&thread, NULL, run_job, job) == 0); /* SPAWN */
    pthread_detach(thread);
    sem_wait(&job->started);
    if (!job->valid)
        return;
    sem_post(&job->go);
}

int main(void)
{
    for (int i = 0; i < JOBS; i++) {
        start_job(i);
        sleep_ms(6);
    }
    wait_until_others_wait();
    puts("jobs started");
    return 0;
}
