/*
 * lock-io-weft-sleep.c - a write lock of Weft's held over a sleep, in a function below the one that
 * took it; the readers wait.
 */
#include "test-programs/common/sample.h"

#include <stdio.h>
#include <weft.h>

static struct weft_rwmutex config_lock;
static int version;

static void settle_down(void)
{
    weft_sleep(5 * WEFT_MS); /* IO */
    version++;
}

static void reload(void *arg)
{
    (void)arg;
    for (int i = 0; i < 10; i++) {
        weft_rwmutex_lock(&config_lock); /* LOCK */
        settle_down();
        weft_rwmutex_unlock(&config_lock);
        weft_sleep(WEFT_MS);
    }
}

static void look(void *arg)
{
    int seen = 0;

    (void)arg;
    while (seen < 10) {
        weft_rwmutex_rlock(&config_lock);
        seen = version;
        weft_rwmutex_runlock(&config_lock);
        weft_sleep(WEFT_MS / 2);
    }
}

static void test(void *arg)
{
    struct weft_waitgroup tasks = {0};

    (void)arg;
    MUST(weft_waitgroup_go(&tasks, reload, NULL) == 0);
    for (int i = 0; i < 3; i++)
        MUST(weft_waitgroup_go(&tasks, look, NULL) == 0);
    weft_waitgroup_wait(&tasks);
    puts("reloaded");
}

int main(void)
{
    return weft_run(test, NULL) == 0 ? 0 : 1;
}
