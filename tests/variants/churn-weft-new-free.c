/*
 * churn-weft-new-free.c - the timer a message, made by a helper and freed on each path; a ticker
 * of the same kind beside it.
 */
#include "test-programs/common/sample.h"

#include <stdio.h>
#include <weft.h>

#define MESSAGES 5000

static struct weft_timer *limit_of(int64_t ns)
{
    return weft_timer_new(ns); /* CHURN */
}

static void handle(struct weft_chan *inbox, int *message)
{
    struct weft_timer *limit = limit_of(10 * WEFT_S);
    struct weft_case cases[] = {WEFT_RECV(weft_timer_chan(limit), NULL), WEFT_RECV(inbox, message)};

    MUST(weft_select(cases, 2, WEFT_FOREVER) == 1);
    weft_timer_free(limit);
}

static void test(void *arg)
{
    struct weft_chan *inbox = weft_chan_new(sizeof(int), 1);
    int message = 0;

    (void)arg;
    for (int i = 0; i < MESSAGES; i++) {
        weft_chan_send(inbox, &i);
        handle(inbox, &message);
    }
    weft_chan_release(inbox);
    printf("last %d\n", message);
}

int main(void)
{
    return weft_run(test, NULL) == 0 ? 0 : 1;
}
