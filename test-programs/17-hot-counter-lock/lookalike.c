/*
 * A mutex around one addition again, and taken as often. But each task counts for itself and gives
 * its sum every thousand requests: who counts most finds the mutex free.
 *
 * Look at count_one, whose mutex is the task's own, and at give_sum.
 */
#include "test-programs/common/sample.h"

#include <stdio.h>
#include <weft.h>

#define TASKS    8
#define REQUESTS 1000000
#define BATCH    1000

static struct weft_mutex lock;
static long requests;

struct counter {
    struct weft_mutex lock; /* for whoever looks at it meanwhile */
    long requests;
};

static void count_one(struct counter *mine)
{
    weft_mutex_lock(&mine->lock);
    mine->requests++;
    weft_mutex_unlock(&mine->lock);
}

static void give_sum(long sum)
{
    weft_mutex_lock(&lock);
    requests += sum;
    weft_mutex_unlock(&lock);
}

static void serve(void *arg)
{
    struct counter mine = {.requests = 0};

    (void)arg;
    for (int i = 1; i <= REQUESTS; i++) {
        count_one(&mine);
        if (i % BATCH == 0)
            give_sum(BATCH);
    }
}

static void serve_all(void *arg)
{
    struct weft_waitgroup all = {0};

    (void)arg;
    for (int i = 0; i < TASKS; i++)
        MUST(weft_waitgroup_go(&all, serve, NULL) == 0);
    weft_waitgroup_wait(&all);
    MUST(requests == (long)TASKS * REQUESTS);
    printf("%d requests\n", TASKS * REQUESTS);
}

int main(void)
{
    return weft_run(serve_all, NULL) == 0 ? 0 : 1;
}
