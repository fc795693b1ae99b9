/*
 * group-weft-feed.c - members are made as work comes in. The first one fails and is gone before the
 * next is made; whoever feeds the group looks for the error at the end.
 */
#include "test-programs/common/sample.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <weft.h>

#define LINES 100

static atomic_bool failed;

static int store(void *arg)
{
    if (*(int *)arg == 0) {
        failed = true;
        return -ENOSPC;
    }
    weft_sleep(50 * WEFT_MS);
    return 0;
}

static void feed(void *arg)
{
    struct weft_group stores = {0};

    (void)arg;
    for (int line = 0; line < LINES; line++) {
        MUST(weft_group_go_copy(&stores, store, &line, sizeof line) == 0); /* MEMBERS */
        do
            weft_sleep((line == 0 ? 20 : 1) * WEFT_MS);
        while (!failed);
    }
    MUST(weft_group_wait(&stores) == -ENOSPC);
    printf("not stored\n");
}

int main(void)
{
    return weft_run(feed, NULL) == 0 ? 0 : 1;
}
