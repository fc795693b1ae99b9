/*
 * pool-served-by-others.c - each connection has a thread of its own, which gives a job to the pool
 * and ends; when main returns, all who ever woke the workers have ended, and the next connection
 * would wake them again.
 */
#include "test-programs/common/sample.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t work = PTHREAD_COND_INITIALIZER;
static int jobs;

struct job {
    sem_t done;
};

static struct job *queue[64];

static void *worker(void *arg)
{
    pthread_mutex_lock(&lock);
    for (;;) {
        while (jobs == 0)
            pthread_cond_wait(&work, &lock);
        sem_post(&queue[--jobs]->done);
    }
    return arg;
}

static void *connection(void *arg)
{
    struct job job;

    sem_init(&job.done, 0, 0);
    pthread_mutex_lock(&lock);
    queue[jobs++] = &job;
    pthread_cond_signal(&work);
    pthread_mutex_unlock(&lock);
    sem_wait(&job.done);
    pthread_mutex_lock(&lock); /* sem_post is over when the worker waits again */
    pthread_mutex_unlock(&lock);
    sem_destroy(&job.done);
    return arg;
}

int main(void)
{
    pthread_t thread;

    for (int i = 0; i < 4; i++) {
        MUST(pthread_create(&thread, NULL, worker, NULL) == 0);
        pthread_detach(thread);
    }
    wait_until_others_wait();
    for (int i = 0; i < 40; i++) {
        MUST(pthread_create(&thread, NULL, connection, NULL) == 0);
        pthread_join(thread, NULL);
    }
    puts("40 connections");
    return 0;
}
