/* tasks.c - tasks wait for what nobody sends. With an argument it is sent. */
#include <stdio.h>
#include <weft.h>

static int answers;

static void ask(void *arg)
{
    struct weft_chan **channel = arg;
    int answer;
    answers += weft_chan_recv(*channel, &answer) == 0;
}

static void serve(void *arg)
{
    const int *sends = arg, answer = 42;
    for (int i = 0; i < 4; i++) {
        struct weft_chan *channel = weft_chan_new(sizeof(int), 0);
        weft_go_copy(ask, &channel, sizeof(channel));
        if (*sends)
            weft_chan_send(channel, &answer);
    }
    weft_sleep(10 * WEFT_MS);
}

int main(int argc, char **argv)
{
    int sends = argc > 1;
    (void)argv;
    if (weft_run(serve, &sends) != 0)
        return 1;
    printf("%d answers\n", answers);
    return 0;
}
