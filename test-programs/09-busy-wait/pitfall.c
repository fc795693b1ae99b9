/*
 * A task waits for an answer by asking for it again and again, and is polite about it: it yields
 * between. It keeps a processor busy for as long as the answer takes.
 *
 * Look at the loop in client.
 */
#include "test-programs/common/sample.h"

#include <stdio.h>
#include <weft.h>

static void server(void *arg)
{
    int answer = 42;

    do
        weft_sleep(400 * WEFT_MS);
    while (!has_burned_ms(100));
    weft_chan_send(arg, &answer);
}

static void client(void *arg)
{
    struct weft_chan *answers = weft_chan_new(sizeof(int), 1);
    int answer;

    (void)arg;
    MUST(weft_go(server, answers) == 0);
    while (weft_chan_try_recv(answers, &answer) != 0) /* TRY */
        weft_yield();                                 /* YIELD */
    printf("%d\n", answer);
    weft_chan_release(answers);
}

int main(void)
{
    return weft_run(client, NULL) == 0 ? 0 : 1;
}
