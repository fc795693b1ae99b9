/*
 * weft-once-waits.c - many tasks ask for what the first of them fetches: those that come meanwhile
 * have to wait for it, and for nothing else.
 */
#include "test-programs/common/sample.h"

#include <stdio.h>
#include <weft.h>

static struct weft_once fetched;
static int value;

static void fetch(void *arg)
{
    weft_sleep(60 * WEFT_MS);
    *(int *)arg = 7;
}

static void ask(void *arg)
{
    (void)arg;
    weft_once_do(&fetched, fetch, &value);
    MUST(value == 7);
}

static void test(void *arg)
{
    struct weft_waitgroup tasks = {0};

    (void)arg;
    for (int i = 0; i < 50; i++)
        MUST(weft_waitgroup_go(&tasks, ask, NULL) == 0);
    weft_waitgroup_wait(&tasks);
    printf("%d\n", value);
}

int main(void)
{
    return weft_run(test, NULL) == 0 ? 0 : 1;
}
