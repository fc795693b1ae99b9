/*
 * Each item of the input gets a thread of its own, however many there are.
 *
 * Look at the loop in main: nothing in it ever waits for a thread to end.
 */
#include "test-programs/common/sample.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define ITEMS 1500

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t read_all = PTHREAD_COND_INITIALIZER;
static int items_read;

/* Needs to know how many there are, so it waits until the input has been read. */
static void *handle(void *arg)
{
    pthread_mutex_lock(&lock);
    while (items_read < ITEMS)
        pthread_cond_wait(&read_all, &lock);
    pthread_mutex_unlock(&lock);
    return arg;
}

int main(void)
{
    pthread_t *threads = calloc(ITEMS, sizeof *threads);
    pthread_attr_t small_stack;

    MUST(threads != NULL);
    pthread_attr_init(&small_stack);
    pthread_attr_setstacksize(&small_stack, 64 * 1024);
    for (int i = 0; i < ITEMS; i++)
        MUST(pthread_create(&threads[i], &small_stack, handle, NULL) == 0); /* SPAWN */
    pthread_mutex_lock(&lock);
    items_read = ITEMS;
    pthread_cond_broadcast(&read_all);
    pthread_mutex_unlock(&lock);
    for (int i = 0; i < ITEMS; i++)
        pthread_join(threads[i], NULL);
    free(threads);
    printf("%d items\n", ITEMS);
    return 0;
}
