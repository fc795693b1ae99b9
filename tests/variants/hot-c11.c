/* hot-c11.c - the next free number, handed out under a C11 mutex. */
#include "test-programs/common/sample.h"

#include <stdio.h>
#include <threads.h>

#define THREADS 4
#define NUMBERS 800000

static struct {
    mtx_t lock;
    long next;
} numbers;

static long take_number(void)
{
    long mine;

    mtx_lock(&numbers.lock); /* LOCK */
    mine = numbers.next++;
    mtx_unlock(&numbers.lock);
    return mine;
}

static int sell(void *arg)
{
    (void)arg;
    for (int i = 0; i < NUMBERS || !has_waited(40); i++)
        take_number();
    return 0;
}

int main(void)
{
    thrd_t threads[THREADS];

    MUST(mtx_init(&numbers.lock, mtx_plain) == thrd_success);
    for (int i = 0; i < THREADS; i++)
        MUST(thrd_create(&threads[i], sell, NULL) == thrd_success);
    for (int i = 0; i < THREADS; i++)
        thrd_join(threads[i], NULL);
    MUST(numbers.next >= (long)THREADS * NUMBERS);
    puts("sold");
    return 0;
}
