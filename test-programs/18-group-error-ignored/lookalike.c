/*
 * Looks like the mistake and is right: the group has no context either, and a member fails; but the
 * members are short, and the others end in the moment in which the error comes.
 *
 * Look at check: nothing in it waits.
 */
#include "test-programs/common/sample.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <weft.h>

#define FILES 1000

static int check(void *arg)
{
    return *(int *)arg == 700 ? -ENOENT : 0;
}

static void check_all(void *arg)
{
    struct weft_group files = {0};

    (void)arg;
    weft_group_set_limit(&files, 16);
    for (int i = 0; i < FILES; i++)
        MUST(weft_group_go_copy(&files, check, &i, sizeof i) == 0);
    MUST(weft_group_wait(&files) == -ENOENT);
    printf("a file is missing\n");
}

int main(void)
{
    return weft_run(check_all, NULL) == 0 ? 0 : 1;
}
