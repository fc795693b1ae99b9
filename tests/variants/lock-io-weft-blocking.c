/*
 * lock-io-weft-blocking.c - a lock of Weft's held over a blocking call that is handed to another
 * thread.
 */
#include "test-programs/common/sample.h"

#include <stdio.h>
#include <time.h>
#include <weft.h>

static struct weft_mutex database_lock;
static int rows;

static void run_query(void *arg)
{
    const struct timespec slow = {0, 5000000};

    nanosleep(&slow, NULL); /* IO */
    ++*(int *)arg;
}

static void query(void *arg)
{
    (void)arg;
    for (int i = 0; i < 5; i++) {
        weft_mutex_lock(&database_lock); /* LOCK */
        MUST(weft_blocking(run_query, &rows) == 0);
        weft_mutex_unlock(&database_lock);
    }
}

static void test(void *arg)
{
    struct weft_waitgroup tasks = {0};

    (void)arg;
    for (int i = 0; i < 4; i++)
        MUST(weft_waitgroup_go(&tasks, query, NULL) == 0);
    weft_waitgroup_wait(&tasks);
    printf("%d rows\n", rows);
}

int main(void)
{
    return weft_run(test, NULL) == 0 ? 0 : 1;
}
