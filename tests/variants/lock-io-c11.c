/*
 * lock-io-c11.c - a C11 lock held while its holder sleeps between two tries, as in a retry loop.
 */
#include "test-programs/common/sample.h"

#include <stdio.h>
#include <threads.h>
#include <time.h>

static mtx_t device_lock;
static int readings;

static void back_off(void)
{
    const struct timespec pause = {0, 5000000};

    thrd_sleep(&pause, NULL); /* IO */
}

static int measure(void *arg)
{
    (void)arg;
    for (int i = 0; i < 8; i++) {
        mtx_lock(&device_lock); /* LOCK */
        back_off();
        readings++;
        mtx_unlock(&device_lock);
    }
    return 0;
}

int main(void)
{
    thrd_t threads[3];

    mtx_init(&device_lock, mtx_plain);
    for (int i = 0; i < 3; i++)
        MUST(thrd_create(&threads[i], measure, NULL) == thrd_success);
    for (int i = 0; i < 3; i++)
        thrd_join(threads[i], NULL);
    printf("%d readings\n", readings);
    return 0;
}
