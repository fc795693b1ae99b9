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

static void *handle(void *arg)
{
    sleep_ms(400);
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
    for (int i = 0; i < ITEMS; i++)
        pthread_join(threads[i], NULL);
    free(threads);
    printf("%d items\n", ITEMS);
    return 0;
}
