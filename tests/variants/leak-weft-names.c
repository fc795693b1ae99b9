/*
 * leak-weft-names.c - mailers wait for an answer that never comes. What they call themselves tells
 * whose requests those were.
 */
#include "test-programs/common/weft_sample.h"

#include <stdio.h>

#define REQUESTS 3

static void mail(void *answer)
{
    weft_set_name("mailer");
    weft_chan_recv(answer, NULL); /* LEAK */
}

static void request(void *arg)
{
    (void)arg;
    MUST(weft_go(mail, weft_chan_new(0, 0)) == 0); /* SPAWN */
}

static void test(void *arg)
{
    char number[8];

    (void)arg;
    for (int i = 0; i < REQUESTS; i++) {
        snprintf(number, sizeof number, "%d", 17 + i);
        MUST(weft_do_labelled("request", number, request, NULL) == 0);
    }
    wait_until_tasks_wait();
    puts("mailed");
}

int main(void)
{
    const struct weft_options options = {.workers = 1};

    return weft_run_with(&options, test, NULL) == 0 ? 0 : 1;
}
