/*
 * Looks like the mistake and is right: the client tries and yields too, because answers mostly come
 * in a moment; but a hundred times at most, and then it waits.
 *
 * Look at the bound of the loop in await.
 */
#include "test-programs/common/sample.h"

#include <stdio.h>
#include <weft.h>

#define REQUESTS 300
#define SPINS    100

static void server(void *arg)
{
    for (int i = 0; i < REQUESTS; i++) {
        if (i % 10 == 0)
            weft_sleep(WEFT_MS);
        weft_chan_send(arg, &i);
    }
}

static int await(struct weft_chan *answers)
{
    int answer;

    for (int i = 0; i < SPINS; i++) {
        if (weft_chan_try_recv(answers, &answer) == 0)
            return answer;
        weft_yield();
    }
    MUST(weft_chan_recv(answers, &answer) == 0);
    return answer;
}

static void client(void *arg)
{
    struct weft_chan *answers = weft_chan_new(sizeof(int), 0);

    (void)arg;
    MUST(weft_go(server, answers) == 0);
    for (int i = 0; i < REQUESTS; i++)
        MUST(await(answers) == i);
    printf("%d answers\n", REQUESTS);
    weft_chan_release(answers);
}

int main(void)
{
    return weft_run(client, NULL) == 0 ? 0 : 1;
}
