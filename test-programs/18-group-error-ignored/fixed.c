/*
 * The mend of pitfall: the group has a context, which the first error cancels, and each member
 * looks at it between two steps.
 *
 * Look at weft_group_with_ctx, and at the weft_ctx_err in fetch.
 */
#include "test-programs/common/sample.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <weft.h>

#define PARTS 30
#define STEPS 60

static atomic_int steps;
static struct weft_ctx *wanted;

static int fetch(void *arg)
{
    int part = *(int *)arg;

    for (int i = 0; i < STEPS && weft_ctx_err(wanted) == 0; i++) {
        weft_sleep(5 * WEFT_MS);
        atomic_fetch_add(&steps, 1);
        if (part == 3 && i == 1)
            return -ENOENT;
    }
    return weft_ctx_err(wanted);
}

static void build_page(void *arg)
{
    struct weft_group parts = {0};

    (void)arg;
    wanted = weft_group_with_ctx(&parts, NULL);
    for (int i = 0; i < PARTS; i++)
        MUST(weft_group_go_copy(&parts, fetch, &i, sizeof i) == 0);
    MUST(weft_group_wait(&parts) == -ENOENT);
    weft_ctx_release(wanted);
    fprintf(stderr, "steps: %d steps\n", steps);
    printf("no page\n");
}

int main(void)
{
    return weft_run(build_page, NULL) == 0 ? 0 : 1;
}
