/* hot-destroyed.c - rows are counted under a mutex that is destroyed when all are done. */
#include "test-programs/common/sample.h"

#include <pthread.h>
#include <stdio.h>

#define THREADS 4
#define ROWS    800000

struct import {
    pthread_mutex_t lock;
    long rows;
};

static void count_row(struct import *import)
{
    pthread_mutex_lock(&import->lock); /* LOCK */
    import->rows++;
    pthread_mutex_unlock(&import->lock);
}

static void *read_rows(void *arg)
{
    for (int i = 0; i < ROWS || !has_waited(40); i++)
        count_row(arg);
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    struct import import = {.rows = 0};

    MUST(pthread_mutex_init(&import.lock, NULL) == 0);
    for (int i = 0; i < THREADS; i++)
        MUST(pthread_create(&threads[i], NULL, read_rows, &import) == 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    MUST(pthread_mutex_destroy(&import.lock) == 0);
    MUST(import.rows >= (long)THREADS * ROWS);
    puts("imported");
    return 0;
}
