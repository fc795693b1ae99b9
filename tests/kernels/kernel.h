/*
 * kernel.h - what the kernels share. A kernel is the mechanism of a blocking bug seen in the wild,
 * written afresh and small; with the argument `fixed` the same program does it right.
 *
 * One worker runs the tasks, so that the order in which they come to their waits is the same in
 * each run: what blocks, blocks always.
 */
#ifndef KERNEL_H
#define KERNEL_H

#include "test-programs/common/weft_sample.h"

#include <stdbool.h>
#include <stdio.h>

static bool fixed;

/* Lets every other task run until it waits or ends. */
static inline void settle(void)
{
    wait_until_tasks_wait();
}

static inline void spawn(void (*fn)(void *arg), void *arg)
{
    MUST(weft_go(fn, arg) == 0);
}

#define KERNEL(test)                                                                               \
    int main(int argc, char **argv)                                                                \
    {                                                                                              \
        const struct weft_options options = {.workers = 1, .name = argv[0]};                       \
        fixed = argc > 1;                                                                          \
        setvbuf(stdout, NULL, _IOLBF, 0);                                                          \
        return weft_run_with(&options, test, NULL) == 0 ? 0 : 1;                                   \
    }

#endif
