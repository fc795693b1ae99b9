/*
 * The mend of pitfall: the channel has room for the one answer, so the send never waits.
 *
 * Look at the capacity in request.
 */
#include "test-programs/common/sample.h"

#include <stdio.h>
#include <weft.h>

#define REQUESTS 100

static struct weft_waitgroup looked_up;

static void look_up(void *arg)
{
    struct weft_chan *result = *(struct weft_chan **)arg;
    int answer = 42;

    weft_sleep(100 * WEFT_MS);
    weft_chan_send(result, &answer);
    weft_chan_release(result);
    weft_waitgroup_done(&looked_up);
}

/* The answer, or -1 when it took longer than a millisecond. */
static int request(void)
{
    struct weft_chan *result = weft_chan_new(sizeof(int), 1);
    struct weft_chan *for_task = weft_chan_retain(result);
    int answer = -1;

    weft_waitgroup_add(&looked_up, 1);
    MUST(weft_go_copy(look_up, &for_task, sizeof for_task) == 0);

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
    weft_waitgroup_wait(&looked_up);
    printf("%d requests\n", REQUESTS);
}

int main(void)
{
    return weft_run(serve, NULL) == 0 ? 0 : 1;
}
