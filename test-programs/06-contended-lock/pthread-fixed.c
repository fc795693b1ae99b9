/*
 * The same cache as a table that does not change while it is in use: who changes it publishes
 * another one, and readers take no lock.
 *
 * Look at render and publish.
 */
#include "test-programs/common/sample.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define THREADS  4
#define REQUESTS 30000
#define WORDS    64 /* in a page */

struct table {
    char words[WORDS][8];
};

static struct table *_Atomic table;

static const char *look_up(const struct table *t, const char *word)
{
    for (int i = 0; i < WORDS; i++)
        if (strcmp(t->words[i], word) == 0)
            return t->words[i];
    return NULL;
}

static const char *const names[] = {"word3", "word7", "word9", "word5"};

static size_t render(void)
{
    const struct table *now = table;
    size_t page = 0;

    for (int i = 0; i < WORDS; i++) {
        page += strlen(look_up(now, names[i % 4]));
    }
    return page;
}

/* The one before must stay until nobody reads it. */
static struct table *publish(struct table *next)
{
    struct table *before = table;

    table = next;
    return before;
}

static void fill(void)
{
    struct table *t = malloc(sizeof *t);

    MUST(t != NULL);
    for (int i = 0; i < WORDS; i++)
        snprintf(t->words[i], sizeof t->words[i], "word%d", i);
    MUST(publish(t) == NULL);
}

static void *serve(void *arg)
{
    for (int i = 0; i < REQUESTS; i++)
        MUST(render() == WORDS * 5);
    return arg;
}

int main(void)
{
    pthread_t threads[THREADS];

    fill();
    for (int i = 0; i < THREADS; i++)
        MUST(pthread_create(&threads[i], NULL, serve, NULL) == 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    printf("%d requests\n", THREADS * REQUESTS);
    return 0;
}
