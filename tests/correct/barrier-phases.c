/*
 * barrier-phases.c - threads that go through phases together, by a barrier on the heap.
 */
#include "test-programs/common/sample.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define PARTIES 4
#define PHASES  50

static pthread_barrier_t *phase_over;
static long cells[PARTIES];

static void *run(void *arg)
{
    intptr_t me = (intptr_t)arg;

    for (int phase = 0; phase < PHASES; phase++) {
        long neighbour = cells[(me + 1) % PARTIES];

        pthread_barrier_wait(phase_over);
        cells[me] = neighbour + 1;
        pthread_barrier_wait(phase_over);
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[PARTIES];

    phase_over = malloc(sizeof *phase_over);
    MUST(phase_over != NULL);
    pthread_barrier_init(phase_over, NULL, PARTIES);
    for (intptr_t i = 0; i < PARTIES; i++)
        MUST(pthread_create(&threads[i], NULL, run, (void *)i) == 0);
    for (int i = 0; i < PARTIES; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(phase_over);
    free(phase_over);
    printf("%ld\n", cells[0]);
    return 0;
}
