/*
 * busy-c11-trylock.c - a thread that wants a lock which is held for long tries it again and again,
 * through a helper.
 */
#include "test-programs/common/sample.h"

#include <stdio.h>
#include <threads.h>

static mtx_t lock;

static int holder(void *arg)
{
    (void)arg;
    mtx_lock(&lock);
    do
        sleep_ms(400);
    while (!has_burned_ms(100));
    mtx_unlock(&lock);
    return 0;
}

static int may_enter(void)
{
    return mtx_trylock(&lock) == thrd_success; /* TRY */
}

int main(void)
{
    thrd_t thread;

    mtx_init(&lock, mtx_plain);
    MUST(thrd_create(&thread, holder, NULL) == thrd_success);
    wait_until_others_wait();
    while (!may_enter())
        ;
    mtx_unlock(&lock);
    thrd_join(thread, NULL);
    puts("entered");
    return 0;
}
