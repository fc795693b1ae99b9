/*
 * A cache under one mutex again, and as many threads that use it. But a request computes for some
 * hundred times as long as it holds the mutex, which is nearly always free then.
 *
 * Look at serve.
 */
#include "test-programs/common/sample.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define THREADS  4
#define REQUESTS 200
#define WORDS    64 /* in a page */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char words[WORDS][8];

static const char *look_up(const char *word)
{
    for (int i = 0; i < WORDS; i++)
        if (strcmp(words[i], word) == 0)
            return words[i];
    return NULL;
}

static const char *const names[] = {"word3", "word7", "word9", "word5"};

static size_t render(void)
{
    size_t page = 0;

    pthread_mutex_lock(&lock);
    for (int i = 0; i < WORDS; i++) {
        page += strlen(look_up(names[i % 4]));
    }
    pthread_mutex_unlock(&lock);
    return page;
}

static void fill(void)
{
    for (int i = 0; i < WORDS; i++)
        snprintf(words[i], sizeof words[i], "word%d", i);
}

/* What a page costs beside its words. */
static void lay_out(size_t page)
{
    volatile size_t sum = page;

    for (unsigned i = 0; i < 300000; i++)
        sum += i;
}

static void *serve(void *arg)
{
    for (int i = 0; i < REQUESTS; i++)
        lay_out(render());
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
