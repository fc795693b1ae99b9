/*
 * A page is put together from thirty parts, fetched by a group of tasks. One cannot be had, and the
 * page with it; the others are fetched to the end for nobody.
 *
 * Look at build_page: nothing tells the members that one has failed.
 */
#include "test-programs/common/sample.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <weft.h>

#define PARTS 30
#define STEPS 60

static atomic_int steps;
static atomic_bool failed;

static int fetch(void *arg)
{
    int part = *(int *)arg;

    /* None is at its end when one fails, however busy the machine is. */
    for (int i = 0; i < STEPS || !atomic_load(&failed); i++) {
        weft_sleep(5 * WEFT_MS);
        atomic_fetch_add(&steps, 1);
        if (part == 3 && i == 1) {
            atomic_store(&failed, true);
            return -ENOENT;
        }
    }
    return 0;
}

static void build_page(void *arg)
{
    struct weft_group parts = {0};

    (void)arg;
    for (int i = 0; i < PARTS; i++)
        MUST(weft_group_go_copy(&parts, fetch, &i, sizeof i) == 0); /* MEMBERS */
    MUST(weft_group_wait(&parts) == -ENOENT);
    fprintf(stderr, "steps: %d steps\n", steps);
    printf("no page\n");
}

int main(void)
{
    return weft_run(build_page, NULL) == 0 ? 0 : 1;
}
