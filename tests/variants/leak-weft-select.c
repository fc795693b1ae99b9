/*
 * leak-weft-select.c - each subscriber selects among its topic and its own order to leave; the
 * session drops both.
 */
#include "test-programs/common/weft_sample.h"

#include <stdio.h>

#define SESSIONS 10

struct subscription {
    struct weft_chan *topic, *leave;
};

static void subscriber(void *arg)
{
    struct subscription *s = arg;
    struct weft_case cases[] = {WEFT_RECV(s->topic, NULL), WEFT_RECV(s->leave, NULL)};

    while (weft_select(cases, 2, WEFT_FOREVER) == 0) /* LEAK */
        ;
}

static void open_session(void)
{
    struct subscription s = {weft_chan_new(0, 0), weft_chan_new(0, 0)};

    MUST(weft_go_copy(subscriber, &s, sizeof s) == 0); /* SPAWN */
}

static void test(void *arg)
{
    (void)arg;
    for (int i = 0; i < SESSIONS; i++)
        open_session();
    wait_until_tasks_wait();
    puts("opened");
}

int main(void)
{
    return weft_run(test, NULL) == 0 ? 0 : 1;
}
