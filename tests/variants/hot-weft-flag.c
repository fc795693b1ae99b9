/* hot-weft-flag.c - tasks ask again and again under a mutex whether they shall stop. */
#include "test-programs/common/sample.h"

#include <stdbool.h>
#include <stdio.h>
#include <weft.h>

#define TASKS 8
#define TURNS 200000

static struct weft_mutex lock;
static bool stopping;

static bool shall_stop(void)
{
    bool answer;

    weft_mutex_lock(&lock); /* LOCK */
    answer = stopping;
    weft_mutex_unlock(&lock);
    return answer;
}

static void work(void *arg)
{
    long *turns = arg;

    for (*turns = 0; *turns < TURNS && !shall_stop(); ++*turns) {
    }
}

static void test(void *arg)
{
    struct weft_waitgroup all = {0};
    static long turns[TASKS][8]; /* a line of cache each */

    (void)arg;
    for (int i = 0; i < TASKS; i++)
        MUST(weft_waitgroup_go(&all, work, turns[i]) == 0);
    weft_waitgroup_wait(&all);
    puts("stopped");
}

int main(void)
{
    return weft_run(test, NULL) == 0 ? 0 : 1;
}
