/*
 * alloc-churn-threads.c - threads that compress blocks, each with a work area that a library of
 * theirs makes anew for every call.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define THREADS 2
#define CALLS   30000
#define AREA    (48 * 1024)

struct area {
    unsigned char *table;
};

static void area_open(struct area *area)
{
    area->table = calloc(1, AREA); /* CHURN */
    if (area->table == NULL)
        abort();
}

static unsigned pack(unsigned input)
{
    struct area area;

    area_open(&area);
    area.table[input % AREA] = 1;
    unsigned result = area.table[input % AREA] + area.table[AREA - 1];
    free(area.table);
    return result;
}

static void *run(void *arg)
{
    unsigned *sum = arg;

    for (unsigned i = 0; i < CALLS; i++)
        *sum += pack(i * 7) & 1;
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    unsigned sums[THREADS] = {0};

    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, run, &sums[i]) != 0)
            abort();
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    puts(sums[0] == sums[1] ? "the same" : "different");
    return 0;
}
