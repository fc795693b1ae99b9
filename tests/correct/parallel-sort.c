/*
 * parallel-sort.c - a merge sort that makes a thread for one half and joins it: each thread waits
 * for its child only.
 */
#include "test-programs/common/sample.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ITEMS 20000

struct part {
    int *items, *spare;
    size_t n;
};

static void *sort(void *arg);

static void merge(struct part *part, size_t half)
{
    size_t i = 0, j = half;

    for (size_t k = 0; k < part->n; k++) {
        int left_next = j == part->n || (i < half && part->items[i] <= part->items[j]);
        part->spare[k] = left_next ? part->items[i++] : part->items[j++];
    }
    memcpy(part->items, part->spare, part->n * sizeof *part->items);
}

static void *sort(void *arg)
{
    struct part *part = arg;
    size_t half = part->n / 2;
    struct part left = {part->items, part->spare, half};
    struct part right = {part->items + half, part->spare + half, part->n - half};
    pthread_t thread;

    if (part->n < 2)
        return NULL;
    if (part->n > 500) {
        MUST(pthread_create(&thread, NULL, sort, &left) == 0);
        sort(&right);
        pthread_join(thread, NULL);
    } else {
        sort(&left);
        sort(&right);
    }
    merge(part, half);
    return NULL;
}

int main(void)
{
    struct part all = {malloc(ITEMS * sizeof(int)), malloc(ITEMS * sizeof(int)), ITEMS};
    unsigned random = 1;

    MUST(all.items != NULL && all.spare != NULL);
    for (size_t i = 0; i < ITEMS; i++) {
        random = random * 1103515245u + 12345u;
        all.items[i] = (int)(random >> 8);
    }
    sort(&all);
    for (size_t i = 1; i < ITEMS; i++)
        MUST(all.items[i - 1] <= all.items[i]);
    puts("sorted");
    free(all.items);
    free(all.spare);
    return 0;
}
