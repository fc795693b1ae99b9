/*
 * weft-exit-while-busy.c - the main task returns while others are at work: one holds the lock in a
 * sleep, others stand in line for it, one selects with a time limit, one reads from a pipe.
 */
#include "test-programs/common/sample.h"

#include <stdio.h>
#include <unistd.h>
#include <weft.h>

static struct weft_mutex lock;
static int quiet_pipe[2];

static void hold(void *arg)
{
    (void)arg;
    weft_mutex_lock(&lock);
    weft_sleep(60 * WEFT_S);
    weft_mutex_unlock(&lock);
}

static void stand_in_line(void *arg)
{
    (void)arg;
    weft_mutex_lock(&lock);
    weft_mutex_unlock(&lock);
}

static void wait_a_minute(void *arg)
{
    struct weft_case cases[] = {WEFT_RECV(arg, NULL)};

    weft_select(cases, 1, 60 * WEFT_S);
}

static void read_pipe(void *arg)
{
    char byte;

    (void)arg;
    weft_read(quiet_pipe[0], &byte, 1);
}

static void test(void *arg)
{
    struct weft_chan *quiet = weft_chan_new(0, 0);

    (void)arg;
    MUST(pipe(quiet_pipe) == 0);
    MUST(weft_go(wait_a_minute, quiet) == 0);
    MUST(weft_go(read_pipe, NULL) == 0);
    MUST(weft_go(hold, NULL) == 0);
    weft_sleep(5 * WEFT_MS);
    for (int i = 0; i < 2; i++)
        MUST(weft_go(stand_in_line, NULL) == 0);
    weft_sleep(5 * WEFT_MS);
    puts("main returns");
}

int main(void)
{
    return weft_run(test, NULL) == 0 ? 0 : 1;
}
