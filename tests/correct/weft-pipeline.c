/*
 * weft-pipeline.c - three stages and a fan-out, each closing the next one's channel when it ends.
 */
#include "test-programs/common/sample.h"

#include <stdio.h>
#include <weft.h>

#define ITEMS 2000

struct stage {
    struct weft_chan *in, *out;
    struct weft_waitgroup *alive; /* of the stage, NULL when it has one task */
};

static void square(void *arg)
{
    struct stage *stage = arg;
    long n;

    while (weft_chan_recv(stage->in, &n) == 0) {
        n *= n;
        weft_chan_send(stage->out, &n);
    }
    weft_waitgroup_done(stage->alive);
}

static void close_when_done(void *arg)
{
    struct stage *stage = arg;

    weft_waitgroup_wait(stage->alive);
    weft_chan_close(stage->out);
}

static void produce(void *arg)
{
    for (long n = 0; n < ITEMS; n++)
        weft_chan_send(arg, &n);
    weft_chan_close(arg);
}

static void test(void *arg)
{
    struct weft_waitgroup squaring = {0};
    struct stage stage = {weft_chan_new(sizeof(long), 0), weft_chan_new(sizeof(long), 8),
                          &squaring};
    long n, sum = 0;

    (void)arg;
    weft_waitgroup_add(&squaring, 4);
    for (int i = 0; i < 4; i++)
        MUST(weft_go(square, &stage) == 0);
    MUST(weft_go(close_when_done, &stage) == 0);
    MUST(weft_go(produce, stage.in) == 0);
    while (weft_chan_recv(stage.out, &n) == 0)
        sum += n;
    weft_chan_release(stage.in);
    weft_chan_release(stage.out);
    printf("%ld\n", sum);
}

int main(void)
{
    return weft_run(test, NULL) == 0 ? 0 : 1;
}
