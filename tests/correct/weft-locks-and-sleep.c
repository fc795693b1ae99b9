/*
 * weft-locks-and-sleep.c - one lock that many want, and sleeping in the same loop, but never at the
 * same time; selects with time limits that end by themselves.
 */
#include "test-programs/common/sample.h"

#include <errno.h>
#include <stdio.h>
#include <weft.h>

static struct weft_mutex lock;
static int count;

static void work(void *arg)
{
    struct weft_chan *quiet = arg;

    for (int i = 0; i < 20; i++) {
        struct weft_case cases[] = {WEFT_RECV(quiet, NULL)};

        weft_mutex_lock(&lock);
        count++;
        weft_mutex_unlock(&lock);
        MUST(weft_select(cases, 1, WEFT_MS) == -ETIMEDOUT);
        weft_sleep(WEFT_MS);
    }
}

static void test(void *arg)
{
    struct weft_chan *quiet = weft_chan_new(0, 0);
    struct weft_waitgroup tasks = {0};

    (void)arg;
    for (int i = 0; i < 8; i++)
        MUST(weft_waitgroup_go(&tasks, work, quiet) == 0);
    weft_waitgroup_wait(&tasks);
    weft_chan_release(quiet);
    printf("%d\n", count);
}

int main(void)
{
    return weft_run(test, NULL) == 0 ? 0 : 1;
}
