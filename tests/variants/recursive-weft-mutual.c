/*
 * recursive-weft-mutual.c - a crawler: a task for each page, through a helper, which makes one for
 * each link, through another; every link leads to three more, and nobody waits.
 */
#include "test-programs/common/sample.h"

#include <stdio.h>
#include <weft.h>

#define DEPTH 6

int links = 3; /* of each page */
static struct weft_waitgroup pages;

static void page(void *arg);

static void follow(void *arg)
{
    weft_sleep(WEFT_MS);
    weft_waitgroup_add(&pages, 1);
    MUST(weft_go_copy(page, arg, sizeof(int)) == 0); /* PAGE */
    weft_waitgroup_done(&pages);
}

static void page(void *arg)
{
    int depth = *(int *)arg + 1;

    weft_sleep(WEFT_MS);
    for (int i = 0; depth < DEPTH && i < links; i++) {
        weft_waitgroup_add(&pages, 1);
        MUST(weft_go_copy(follow, &depth, sizeof depth) == 0); /* LINK */
    }
    weft_waitgroup_done(&pages);
}

static void crawl(void *arg)
{
    int depth = 0;

    (void)arg;
    weft_waitgroup_add(&pages, 1);
    page(&depth);
    weft_waitgroup_wait(&pages);
    printf("crawled\n");
}

int main(void)
{
    return weft_run(crawl, NULL) == 0 ? 0 : 1;
}
