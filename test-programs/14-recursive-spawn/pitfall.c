/*
 * A call that fails is tried again, at two servers, each in a task of its own; and so is each of
 * these. Every round of failures doubles the number of tasks.
 *
 * Look at the weft_go in attempt: the one who retries does not wait, and nobody counts.
 */
#include "test-programs/common/sample.h"

#include <stdio.h>
#include <weft.h>

#define ATTEMPTS 8

int servers = 2; /* as configured */
static struct weft_waitgroup under_way;

static int call_server(void)
{
    weft_sleep(WEFT_MS);
    return -1; /* they are all down */
}

static void attempt(void *arg)
{
    int number = *(int *)arg + 1;

    if (call_server() != 0 && number < ATTEMPTS)
        for (int i = 0; i < servers; i++) {
            weft_waitgroup_add(&under_way, 1);
            MUST(weft_go_copy(attempt, &number, sizeof number) == 0); /* SPAWN */
        }
    weft_waitgroup_done(&under_way);
}

static void request(void *arg)
{
    int number = 0;

    (void)arg;
    weft_waitgroup_add(&under_way, 1);
    attempt(&number);
    weft_waitgroup_wait(&under_way);
    printf("failed\n");
}

int main(void)
{
    return weft_run(request, NULL) == 0 ? 0 : 1;
}
