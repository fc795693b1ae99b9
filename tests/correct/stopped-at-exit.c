/*
 * stopped-at-exit.c - before it exits, the program stops its threads, so that they do not use what
 * exit() takes down, as a virtual machine does: each waits at a gate that is not opened again. One
 * is stopped with a lock that another stands in line for.
 */
#include "test-programs/common/sample.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

struct gate {
    pthread_mutex_t lock;
    pthread_cond_t opened;
    sem_t arrived;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static sem_t begins;
static struct gate *_Atomic gate;
static atomic_ulong spins;

static void stop_if_asked(void)
{
    struct gate *g = gate;
    if (g == NULL)
        return;
    pthread_mutex_lock(&g->lock);
    sem_post(&g->arrived);
    for (;;)
        pthread_cond_wait(&g->opened, &g->lock);
}

static void *compute_with_lock(void *arg)
{
    pthread_mutex_lock(&lock);
    sem_post(&begins);
    for (;; stop_if_asked())
        atomic_fetch_add(&spins, 1);
    return arg;
}

static void *compute(void *arg)
{
    sem_post(&begins);
    for (;; stop_if_asked())
        atomic_fetch_add(&spins, 1);
    return arg;
}

static void *stand_in_line(void *arg)
{
    sem_post(&begins);
    pthread_mutex_lock(&lock);
    pthread_mutex_unlock(&lock);
    return arg;
}

int main(void)
{
    void *(*const parts[])(void *) = {compute_with_lock, compute, stand_in_line};
    pthread_t thread;

    sem_init(&begins, 0, 0);
    for (int i = 0; i < 3; i++) {
        MUST(pthread_create(&thread, NULL, parts[i], NULL) == 0);
        pthread_detach(thread);
        sem_wait(&begins);
    }
    sleep_ms(1500);

    struct gate *g = malloc(sizeof *g);
    MUST(g != NULL);
    pthread_mutex_init(&g->lock, NULL);
    pthread_cond_init(&g->opened, NULL);
    sem_init(&g->arrived, 0, 0);
    gate = g;
    for (int i = 0; i < 2; i++)
        sem_wait(&g->arrived);
    pthread_mutex_lock(&g->lock); /* both wait by now */
    pthread_mutex_unlock(&g->lock);
    puts("all stopped");
    return 0;
}
