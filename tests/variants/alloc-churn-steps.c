/* alloc-churn-steps.c - a buffer with room for a hundred more each time it is full. */
#include "test-programs/common/sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEP 128

struct list {
    int *values;
    size_t n, room;
};

static void grow(struct list *list)
{
    int *larger = malloc((list->room + STEP) * sizeof *larger); /* GROW */

    MUST(larger != NULL);
    if (list->n > 0)
        memcpy(larger, list->values, list->n * sizeof *larger);
    free(list->values);
    list->values = larger;
    list->room += STEP;
}

static void add(struct list *list, int value)
{
    if (list->n == list->room)
        grow(list);
    list->values[list->n++] = value;
}

int main(void)
{
    struct list list = {0};

    for (int i = 0; i < 400000; i++)
        add(&list, i);
    printf("%zu\n", list.n);
    free(list.values);
    return 0;
}
