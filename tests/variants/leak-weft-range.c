/*
 * leak-weft-range.c - the producer returns on its error path without closing the channel that its
 * consumers read to the end, through a helper.
 */
#include "test-programs/common/weft_sample.h"

#include <stdio.h>

#define FILES 8

static int next_line(struct weft_chan *lines, int *line)
{
    int result = weft_chan_recv(lines, line); /* LEAK */

    return result == 0;
}

static void count_lines(void *arg)
{
    int line, sum = 0;

    while (next_line(arg, &line))
        sum += line;
    MUST(sum >= 0);
    weft_chan_release(arg);
}

static void read_file(void *arg)
{
    struct weft_chan *lines = weft_chan_new(sizeof(int), 4);

    (void)arg;
    MUST(weft_go(count_lines, weft_chan_retain(lines)) == 0); /* SPAWN */
    for (int line = 0; line < 3; line++)
        weft_chan_send(lines, &line);
    weft_chan_release(lines); /* a broken line: gives up, but does not close */
}

static void test(void *arg)
{
    struct weft_waitgroup files = {0};

    (void)arg;
    for (int i = 0; i < FILES; i++)
        weft_waitgroup_go(&files, read_file, NULL);
    weft_waitgroup_wait(&files);
    wait_until_tasks_wait();
    puts("read");
}

int main(void)
{
    return weft_run(test, NULL) == 0 ? 0 : 1;
}
