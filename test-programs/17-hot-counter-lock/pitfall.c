/*
 * A counter of requests under a mutex: the work is one addition, the mutex costs hundreds of times
 * that as soon as two tasks count at once.
 *
 * Look at count_one.
 */
#include "test-programs/common/sample.h"

#include <stdio.h>
#include <weft.h>

#define TASKS    8
#define REQUESTS 1000000
/* On one processor tasks meet only where one is interrupted with the lock. */
#define LEAST_MS 500

static struct weft_mutex lock;
static long requests;

static void count_one(void)
{
    weft_mutex_lock(&lock); /* LOCK */
    requests++;
    weft_mutex_unlock(&lock);
}

static void serve(void *arg)
{
    (void)arg;
    for (int i = 0; i < REQUESTS || i % 256 != 0 || !has_burned_ms(LEAST_MS); i++)
        count_one();
}

static void serve_all(void *arg)
{
    struct weft_waitgroup all = {0};

    (void)arg;
    for (int i = 0; i < TASKS; i++)
        MUST(weft_waitgroup_go(&all, serve, NULL) == 0);
    weft_waitgroup_wait(&all);
    MUST(requests >= (long)TASKS * REQUESTS);
    printf("%d requests\n", TASKS * REQUESTS);
}

int main(void)
{
    return weft_run(serve_all, NULL) == 0 ? 0 : 1;
}
