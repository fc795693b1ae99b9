/*
 * A request asks a task and does not wait for ever: when the answer is late it returns, and nobody
 * is left to receive it.
 *
 * Look at look_up: its send waits for a receiver, as the channel has no room.
 */
#include "test-programs/common/weft_sample.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>

#define REQUESTS 100

static struct weft_waitgroup looked_up;
static atomic_bool given_up;

static void look_up(void *arg)
{
    struct weft_chan *result = *(struct weft_chan **)arg;
    int answer = 42;

    do { /* for longer than any of the requests waits */
        weft_sleep(100 * WEFT_MS);
    } while (!atomic_load(&given_up));
    weft_waitgroup_done(&looked_up);
    weft_chan_send(result, &answer); /* LEAK */
    weft_chan_release(result);
}

/* The answer, or -1 when it took longer than a millisecond. */
static int request(void)
{
    struct weft_chan *result = weft_chan_new(sizeof(int), 0); /* MADE */
    struct weft_chan *for_task = weft_chan_retain(result);
    int answer = -1;

    weft_waitgroup_add(&looked_up, 1);
    MUST(weft_go_copy(look_up, &for_task, sizeof for_task) == 0); /* SPAWN */

    struct weft_case cases[] = {WEFT_RECV(result, &answer)};
    if (weft_select(cases, 1, WEFT_MS) < 0)
        answer = -1;
    weft_chan_release(result);
    return answer;
}

static void serve(void *arg)
{
    (void)arg;
    for (int i = 0; i < REQUESTS; i++)
        request();
    atomic_store(&given_up, true);
    /* So that the number is exact: every task has come to its send before the program ends. */
    weft_waitgroup_wait(&looked_up);
    wait_until_tasks_wait();
    printf("%d requests\n", REQUESTS);
}

int main(void)
{
    return weft_run(serve, NULL) == 0 ? 0 : 1;
}
