/*
 * A cache whose entries are read by every request and hardly ever changed, under one mutex: a
 * request waits for all others, although none of them changes anything.
 *
 * Look at render: its look-ups are what the mutex is held for.
 */
#include "test-programs/common/sample.h"

#include <stdio.h>
#include <weft.h>

#define TASKS    8
#define REQUESTS 100000
#define WORDS    64 /* in a page */

static struct weft_mutex lock;
static struct weft_map *words;

static long render(void)
{
    long page = 0;

    weft_mutex_lock(&lock); /* LOCK */
    for (long i = 0; i < WORDS; i++)
        page += *(long *)weft_map_get(words, &i);
    weft_mutex_unlock(&lock);
    return page;
}

static void fill(void)
{
    MUST(words = weft_map_new(sizeof(long), sizeof(long)));
    for (long i = 0; i < WORDS; i++)
        MUST(weft_map_set(words, &i, &i) == 0);
}

static void serve(void *arg)
{
    (void)arg;
    for (int i = 0; i < REQUESTS; i++)
        MUST(render() == WORDS * (WORDS - 1) / 2);
}

static void serve_all(void *arg)
{
    struct weft_waitgroup all = {0};

    (void)arg;
    fill();
    for (int i = 0; i < TASKS; i++)
        MUST(weft_waitgroup_go(&all, serve, NULL) == 0);
    weft_waitgroup_wait(&all);
    printf("%d requests\n", TASKS * REQUESTS);
}

int main(void)
{
    return weft_run(serve_all, NULL) == 0 ? 0 : 1;
}
