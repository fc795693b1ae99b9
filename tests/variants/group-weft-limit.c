/*
 * group-weft-limit.c - a group with a limit, filled through a helper that looks for no error: it
 * goes on making members long after the first one has failed.
 */
#include "test-programs/common/sample.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <weft.h>

#define UPLOADS 200

static atomic_bool failed;

static int upload(void *arg)
{
    if (*(int *)arg == 5) {
        failed = true;
        return -EACCES;
    }
    do
        weft_sleep(20 * WEFT_MS);
    while (!failed);
    return 0;
}

static void submit(struct weft_group *uploads, int number)
{
    MUST(weft_group_go_copy(uploads, upload, &number, sizeof number) == 0); /* MEMBERS */
}

static void upload_all(void *arg)
{
    struct weft_group uploads = {0};

    (void)arg;
    weft_group_set_limit(&uploads, 16);
    for (int i = 0; i < UPLOADS; i++)
        submit(&uploads, i);
    MUST(weft_group_wait(&uploads) == -EACCES);
    printf("not allowed\n");
}

int main(void)
{
    return weft_run(upload_all, NULL) == 0 ? 0 : 1;
}
