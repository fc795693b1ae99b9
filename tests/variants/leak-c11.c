/*
 * leak-c11.c - the leak with C11 threads: each worker waits for its order to be cancelled or
 * confirmed, and the shop forgets the order.
 */
#include "test-programs/common/sample.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <threads.h>

#define ORDERS 12

struct order {
    cnd_t decided;
    bool confirmed;
};

static mtx_t lock;
static cnd_t placed;
static int orders_placed;

static int deliver(void *arg)
{
    struct order *order = arg;

    mtx_lock(&lock);
    orders_placed++;
    cnd_signal(&placed);
    while (!order->confirmed)
        cnd_wait(&order->decided, &lock); /* LEAK */
    mtx_unlock(&lock);
    return 0;
}

static void place_order(void)
{
    struct order *order = calloc(1, sizeof *order);
    thrd_t thread;

    MUST(order != NULL && cnd_init(&order->decided) == thrd_success);
    MUST(thrd_create(&thread, deliver, order) == thrd_success); /* SPAWN */
    thrd_detach(thread);
}

int main(void)
{
    mtx_init(&lock, mtx_plain);
    cnd_init(&placed);
    for (int i = 0; i < ORDERS; i++) {
        place_order();
        sleep_ms(10);
    }
    mtx_lock(&lock);
    while (orders_placed < ORDERS)
        cnd_wait(&placed, &lock);
    mtx_unlock(&lock);
    puts("orders placed");
    return 0;
}
