/*
 * contend-destroyed.c - each query has a result of its own, with a lock of its own, under which its
 * workers merge what they found. None of the locks lives long.
 */
#include "test-programs/common/sample.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define QUERIES 8
#define THREADS 4
#define PARTS   12
#define BINS    4096

struct result {
    pthread_mutex_t lock;
    unsigned bins[BINS];
};

static void merge(struct result *result, unsigned part)
{
    pthread_mutex_lock(&result->lock); /* LOCK */
    for (unsigned round = 0; round < 2400; round++)
        for (unsigned i = 0; i < BINS; i++)
            result->bins[i] = result->bins[i] * 33 + part;
    pthread_mutex_unlock(&result->lock);
}

static void *work(void *arg)
{
    for (unsigned part = 0; part < PARTS; part++)
        merge(arg, part);
    return NULL;
}

static void query(void)
{
    pthread_t threads[THREADS];
    struct result *result = calloc(1, sizeof *result);

    MUST(result != NULL && pthread_mutex_init(&result->lock, NULL) == 0);
    for (int i = 0; i < THREADS; i++)
        MUST(pthread_create(&threads[i], NULL, work, result) == 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    MUST(pthread_mutex_destroy(&result->lock) == 0);
    free(result);
}

int main(void)
{
    for (int i = 0; i < QUERIES; i++)
        query();
    puts("answered");
    return 0;
}
