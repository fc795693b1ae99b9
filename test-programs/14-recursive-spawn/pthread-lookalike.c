/*
 * Looks like the mistake and is right: threads make threads of their own kind, but each waits for
 * the two that it made, and there is an end to what is divided.
 *
 * Look at the pthread_join in sum.
 */
#include "test-programs/common/sample.h"

#include <pthread.h>
#include <stdio.h>

#define NUMBERS (1 << 18)
#define SERIAL  (NUMBERS >> 6)

struct part {
    int from, to;
    long sum;
};

static void *sum(void *arg)
{
    struct part *part = arg;
    int middle = part->from + (part->to - part->from) / 2;
    struct part half[2] = {{part->from, middle, 0}, {middle, part->to, 0}};
    pthread_t threads[2];

    if (part->to - part->from <= SERIAL) {
        for (int i = part->from; i < part->to; i++)
            part->sum += i;
        return NULL;
    }
    for (int i = 0; i < 2; i++)
        MUST(pthread_create(&threads[i], NULL, sum, &half[i]) == 0);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    part->sum = half[0].sum + half[1].sum;
    return NULL;
}

int main(void)
{
    struct part all = {0, NUMBERS, 0};

    sum(&all);
    printf("%ld\n", all.sum);
    return 0;
}
