/*
 * The mend of pitfall: one task tries one server after the other, a little later each time.
 *
 * Look at the loop in attempt.
 */
#include "test-programs/common/sample.h"

#include <stdio.h>
#include <weft.h>

#define ATTEMPTS 8

static struct weft_waitgroup under_way;

static int call_server(void)
{
    weft_sleep(WEFT_MS);
    return -1; /* they are all down */
}

static void attempt(void *arg)
{
    (void)arg;
    for (int i = 0; i < ATTEMPTS && call_server() != 0; i++)
        weft_sleep(i * WEFT_MS);
}

static void request(void *arg)
{
    (void)arg;
    MUST(weft_waitgroup_go(&under_way, attempt, NULL) == 0);
    weft_waitgroup_wait(&under_way);
    printf("failed\n");
}

int main(void)
{
    return weft_run(request, NULL) == 0 ? 0 : 1;
}
