/*
 * Looks like the mistake and is right: tasks make tasks of their own kind, eight generations deep,
 * each twice as large; but each of them waits for the two that it made, and there is an end to what
 * is divided.
 *
 * Look at the weft_waitgroup_wait in sum.
 */
#include "test-programs/common/sample.h"

#include <stdio.h>
#include <weft.h>

#define NUMBERS (1 << 18)
#define SERIAL  (NUMBERS >> 8)

struct part {
    int from, to;
    long sum;
};

static void sum(void *arg)
{
    struct part *part = arg;
    struct weft_waitgroup halves = {0};
    int middle = part->from + (part->to - part->from) / 2;
    struct part half[2] = {{part->from, middle, 0}, {middle, part->to, 0}};

    if (part->to - part->from <= SERIAL) {
        for (int i = part->from; i < part->to; i++)
            part->sum += i;
        return;
    }
    for (int i = 0; i < 2; i++)
        MUST(weft_waitgroup_go(&halves, sum, &half[i]) == 0);
    weft_waitgroup_wait(&halves);
    part->sum = half[0].sum + half[1].sum;
}

static void run(void *arg)
{
    struct part all = {0, NUMBERS, 0};

    (void)arg;
    sum(&all);
    printf("%ld\n", all.sum);
}

int main(void)
{
    return weft_run(run, NULL) == 0 ? 0 : 1;
}
