/*
 * blocked-weft-helper.c - tasks of a group, each of which waits for its turn at a pipe through
 * a helper that hands the waiting to an OS thread.
 */
#include "test-programs/common/sample.h"

#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>
#include <weft.h>

#define JOBS 120

static int gate[2];
static atomic_int begun;

static void await_turn(void *arg)
{
    begun++;
    MUST(read(gate[0], arg, 1) == 1);
}

static int off_thread(void (*fn)(void *), void *arg)
{
    return weft_blocking(fn, arg); /* BLOCKS */
}

static int job(void *arg)
{
    char turn;

    (void)arg;
    return off_thread(await_turn, &turn);
}

static void run(void *arg)
{
    static const char turns[JOBS];
    struct weft_group jobs = {0};

    MUST(pipe(gate) == 0);
    for (int i = 0; i < JOBS; i++)
        MUST(weft_group_go(&jobs, job, arg) == 0);
    do
        weft_sleep(200 * WEFT_MS);
    while (begun < JOBS);
    MUST(write(gate[1], turns, sizeof turns) == (ssize_t)sizeof turns);
    MUST(weft_group_wait(&jobs) == 0);
    printf("%d jobs\n", JOBS);
}

int main(void)
{
    return weft_run(run, NULL) == 0 ? 0 : 1;
}
