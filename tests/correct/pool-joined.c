/*
 * pool-joined.c - a thread pool over a queue with a condition, closed and joined.
 */
#include "test-programs/common/sample.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define WORKERS 6
#define JOBS    500

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t not_empty, not_full;
    int jobs[16];
    unsigned head, tail;
    bool closed;
    long sum;
};

static bool take(struct queue *queue, int *job)
{
    bool got;

    pthread_mutex_lock(&queue->lock);
    while (queue->head == queue->tail && !queue->closed)
        pthread_cond_wait(&queue->not_empty, &queue->lock);
    got = queue->head != queue->tail;
    if (got)
        *job = queue->jobs[queue->head++ % 16];
    pthread_cond_signal(&queue->not_full);
    pthread_mutex_unlock(&queue->lock);
    return got;
}

static void put(struct queue *queue, int job)
{
    pthread_mutex_lock(&queue->lock);
    while (queue->tail - queue->head == 16)
        pthread_cond_wait(&queue->not_full, &queue->lock);
    queue->jobs[queue->tail++ % 16] = job;
    pthread_cond_signal(&queue->not_empty);
    pthread_mutex_unlock(&queue->lock);
}

static void *worker(void *arg)
{
    struct queue *queue = arg;
    int job;

    while (take(queue, &job)) {
        pthread_mutex_lock(&queue->lock);
        queue->sum += job;
        pthread_mutex_unlock(&queue->lock);
    }
    return NULL;
}

int main(void)
{
    struct queue *queue = calloc(1, sizeof *queue);
    pthread_t threads[WORKERS];

    MUST(queue != NULL);
    pthread_mutex_init(&queue->lock, NULL);
    pthread_cond_init(&queue->not_empty, NULL);
    pthread_cond_init(&queue->not_full, NULL);
    for (int i = 0; i < WORKERS; i++)
        MUST(pthread_create(&threads[i], NULL, worker, queue) == 0);
    for (int i = 0; i < JOBS; i++)
        put(queue, i);
    pthread_mutex_lock(&queue->lock);
    queue->closed = true;
    pthread_cond_broadcast(&queue->not_empty);
    pthread_mutex_unlock(&queue->lock);
    for (int i = 0; i < WORKERS; i++)
        pthread_join(threads[i], NULL);
    printf("%ld\n", queue->sum);
    free(queue);
    return 0;
}
