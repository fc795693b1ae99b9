/*
 * A cache under one mutex again, and as many tasks that use it. But a request computes for some
 * hundred times as long as it holds the mutex, which is nearly always free then.
 *
 * Look at serve.
 */
#include "test-programs/common/sample.h"

#include <stdio.h>
#include <weft.h>

#define TASKS    8
#define REQUESTS 200
#define WORDS    64 /* in a page */

static struct weft_mutex lock;
static struct weft_map *words;

static long render(void)
{
    long page = 0;

    weft_mutex_lock(&lock);
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

/* What a page costs beside its words. */
static void lay_out(long page)
{
    volatile long sum = page;

    for (int i = 0; i < 100000; i++)
        sum += i;
}

static void serve(void *arg)
{
    (void)arg;
    for (int i = 0; i < REQUESTS; i++)
        lay_out(render());
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
