/*
 * busy-select.c - a loop by select that keeps its client in the set of those to write to after all
 * is written: from then on it goes round without a pause.
 */
#include "test-programs/common/sample.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#define ROUNDS 30000 /* the client asks again after so many */

static int pair[2];
static atomic_int rounds;

static void *ask_once_more(void *arg)
{
    while (rounds < ROUNDS || !has_burned_ms(100))
        sleep_ms(5);
    MUST(write(pair[1], "?", 1) == 1);
    return arg;
}

static void serve(int client)
{
    char c;
    for (int left = 1;; rounds++) {
        fd_set to_read, to_write;
        FD_ZERO(&to_read);
        FD_ZERO(&to_write);
        FD_SET(client, &to_read);
        FD_SET(client, &to_write);
        MUST(select(client + 1, &to_read, &to_write, NULL, NULL) > 0); /* POLL */
        if (FD_ISSET(client, &to_read) && read(client, &c, 1) == 1)
            return;
        if (left > 0 && write(client, "answer", 6) == 6)
            left--;
    }
}

int main(void)
{
    pthread_t client;
    MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0);
    MUST(pthread_create(&client, NULL, ask_once_more, NULL) == 0);
    serve(pair[0]);
    pthread_join(client, NULL);
    puts("asked again");
    return 0;
}
