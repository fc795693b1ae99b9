/*
 * The same cache as a concurrent map, whose readers take no lock.
 *
 * Look at render.
 */
#include "test-programs/common/sample.h"

#include <stdio.h>
#include <weft.h>

#define TASKS    8
#define REQUESTS 100000
#define WORDS    64 /* in a page */

static struct weft_cmap *words;

static long render(void)
{
    long page = 0, word;

    for (long i = 0; i < WORDS; i++) {
        MUST(weft_cmap_load(words, &i, &word) == 0);
        page += word;
    }
    return page;
}

static void fill(void)
{
    struct weft_cmap_options options = {.key_size = sizeof(long), .value_size = sizeof(long)};

    MUST(words = weft_cmap_new(&options));
    for (long i = 0; i < WORDS; i++)
        MUST(weft_cmap_store(words, &i, &i) == 0);
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
