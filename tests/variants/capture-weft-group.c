/*
 * A crawler's pages are indexed by members of a group, which wait for the index to be opened. What
 * they are given is a page's record, with a pointer to its text, 40 KiB of it; they index its
 * number.
 *
 * Look at the page that index_page gets.
 */
#include "test-programs/common/weft_sample.h"

#include <stdlib.h>
#include <string.h>

#define PAGES      400
#define TEXT_BYTES (40 * 1024)

struct page {
    int number;
    char *text;
};

static struct weft_chan *opened;
static struct weft_waitgroup fetched;
static struct weft_mutex lock;
static long indexed;

static int index_number(void *arg)
{
    struct page *page = arg;

    weft_waitgroup_done(&fetched);
    weft_chan_recv(opened, NULL);
    weft_mutex_lock(&lock);
    indexed += page->number;
    weft_mutex_unlock(&lock);
    free(page->text);
    free(page);
    return 0;
}

static void index_page(struct weft_group *group, struct page *page)
{
    MUST(weft_group_go(group, index_number, page) == 0); /* SPAWN */
}

static struct page *fetch(int number)
{
    struct page *page = malloc(sizeof *page);

    MUST(page != NULL);
    page->number = number;
    page->text = malloc(TEXT_BYTES);
    MUST(page->text != NULL);
    memset(page->text, 'a' + number % 26, TEXT_BYTES);
    return page;
}

static void crawl(void *arg)
{
    struct weft_group group = {0};

    (void)arg;
    opened = weft_chan_new(0, 0);
    weft_waitgroup_add(&fetched, PAGES);
    for (int i = 0; i < PAGES; i++)
        index_page(&group, fetch(i));
    weft_waitgroup_wait(&fetched);
    wait_until_tasks_wait();
    weft_chan_close(opened);
    MUST(weft_group_wait(&group) == 0);
    weft_chan_release(opened);
    MUST(indexed == PAGES * (PAGES - 1) / 2);
}

int main(void)
{
    return weft_run(crawl, NULL) == 0 ? 0 : 1;
}
