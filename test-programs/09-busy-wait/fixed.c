/*
 * The mend of pitfall: the task receives, which waits without using a processor.
 *
 * Look at the weft_chan_recv in client.
 */
#include "test-programs/common/sample.h"

#include <stdio.h>
#include <weft.h>

static void server(void *arg)
{
    int answer = 42;

    weft_sleep(400 * WEFT_MS);
    weft_chan_send(arg, &answer);
}

static void client(void *arg)
{
    struct weft_chan *answers = weft_chan_new(sizeof(int), 1);
    int answer;

    (void)arg;
    MUST(weft_go(server, answers) == 0);
    MUST(weft_chan_recv(answers, &answer) == 0);
    printf("%d\n", answer);
    weft_chan_release(answers);
}

int main(void)
{
    return weft_run(client, NULL) == 0 ? 0 : 1;
}
