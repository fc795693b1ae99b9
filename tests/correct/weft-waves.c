/*
 * weft-waves.c - 500 tasks at a time, ten times, each wave waited for; two runs after each other in
 * one process.
 */
#include "test-programs/common/sample.h"

#include <stdio.h>
#include <weft.h>

static void wave_task(void *arg)
{
    (void)arg;
    weft_sleep(WEFT_MS);
}

static void test(void *arg)
{
    for (int wave = 0; wave < 10; wave++) {
        struct weft_waitgroup tasks = {0};

        for (int i = 0; i < 500; i++)
            MUST(weft_waitgroup_go(&tasks, wave_task, NULL) == 0);
        weft_waitgroup_wait(&tasks);
    }
    puts(arg);
}

int main(void)
{
    MUST(weft_run(test, "first run") == 0);
    MUST(weft_run(test, "second run") == 0);
    return 0;
}
