/*
 * busy-unread.c - a loop that is woken up by a byte in a pipe and looks at its flags, but never
 * reads the byte: select has it ready from then on.
 */
#include "test-programs/common/sample.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/select.h>
#include <unistd.h>

#define ROUNDS 30000 /* the loop is told to end after so many */

static int wake[2];
static atomic_int rounds, ends;

static void *work(void *arg)
{
    MUST(write(wake[1], "!", 1) == 1);
    while (rounds < ROUNDS || !has_burned_ms(100))
        sleep_ms(5);
    ends = 1;
    return arg;
}

static void serve(void)
{
    while (!ends) {
        fd_set set;
        FD_ZERO(&set);
        FD_SET(wake[0], &set);
        MUST(select(wake[0] + 1, &set, NULL, NULL, NULL) == 1); /* POLL */
        rounds++;
    }
}

int main(void)
{
    pthread_t worker;

    MUST(pipe(wake) == 0);
    MUST(pthread_create(&worker, NULL, work, NULL) == 0);
    serve();
    pthread_join(worker, NULL);
    puts("told to end");
    return 0;
}
