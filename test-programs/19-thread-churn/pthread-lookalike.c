/*
 * Looks like the mistake and is right: two hundred threads, each done in a moment, but made in one
 * batch, all alive at once: no pool could serve them with fewer.
 *
 * Look at the barrier: none goes on before all are there.
 */
#include "test-programs/common/sample.h"

#include <pthread.h>
#include <stdio.h>

#define THREADS 200

static pthread_barrier_t all_here;

static void *serve(void *arg)
{
    pthread_barrier_wait(&all_here);
    return arg;
}

int main(void)
{
    pthread_t threads[THREADS];
    pthread_attr_t small_stack;

    pthread_attr_init(&small_stack);
    pthread_attr_setstacksize(&small_stack, 64 * 1024);
    pthread_barrier_init(&all_here, NULL, THREADS);
    for (int i = 0; i < THREADS; i++)
        MUST(pthread_create(&threads[i], &small_stack, serve, NULL) == 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    printf("%d threads\n", THREADS);
    return 0;
}
