/*
 * A cache whose entries are read by every request and hardly ever changed, under one mutex: a
 * request waits for all others, although none of them changes anything.
 *
 * Look at render: its look-ups are what the mutex is held for.
 */
#include "test-programs/common/sample.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define THREADS  4
#define REQUESTS 30000
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

    pthread_mutex_lock(&lock); /* LOCK */
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

static void *serve(void *arg)
{
    for (int i = 0; i < REQUESTS || !has_waited(40); i++)
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
