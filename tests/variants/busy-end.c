/*
 * busy-end.c - a reader takes the end of its pipe for "nothing yet": poll tells it at once that
 * there is something to read, and it reads nothing, again and again.
 */
#include "test-programs/common/sample.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#define ROUNDS 30000 /* the reader is told to end after so many */

static int lines[2];
static atomic_int rounds, ends;

static void *copy(void *arg)
{
    struct pollfd p = {.fd = lines[0], .events = POLLIN};
    char text[64];
    for (; !ends; rounds++) {
        ssize_t n = poll(&p, 1, 1000) == 1 ? read(lines[0], text, sizeof text) : 0; /* READ */
        if (n > 0)
            MUST(fwrite(text, 1, (size_t)n, stdout) == (size_t)n);
    }
    return arg;
}

/* An argument: the read is one that would not wait. */
int main(int argc, char **argv)
{
    (void)argv;
    pthread_t reader;

    MUST(pipe2(lines, argc > 1 ? O_NONBLOCK : 0) == 0);
    MUST(pthread_create(&reader, NULL, copy, NULL) == 0);
    MUST(write(lines[1], "the only line\n", 14) == 14);
    close(lines[1]);
    while (rounds < ROUNDS || !has_burned_ms(100))
        sleep_ms(5);
    ends = 1;
    pthread_join(reader, NULL);
    return 0;
}
