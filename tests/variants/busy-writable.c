/*
 * busy-writable.c - an event loop that asks to be told when its client may be written to, and does
 * not stop asking when all is written: from then on the loop goes round without a pause.
 */
#include "test-programs/common/sample.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define ROUNDS 30000 /* the client asks again after so many */

static int pair[2], loop;
static atomic_int rounds;
static atomic_int asked_again;

static void *ask_once_more(void *arg)
{
    while (rounds < ROUNDS || !has_burned_ms(100))
        sleep_ms(5);
    asked_again = 1;
    MUST(write(pair[1], "?", 1) == 1);
    return arg;
}

static void answer(int *left)
{
    if (*left > 0 && write(pair[0], "answer", 6) == 6)
        --*left;
}

static void serve(void)
{
    struct epoll_event wanted = {.events = EPOLLIN | EPOLLOUT}, event;
    char c;
    int left = 1;

    MUST(epoll_ctl(loop, EPOLL_CTL_ADD, pair[0], &wanted) == 0);
    for (;; rounds++) {
        MUST(epoll_wait(loop, &event, 1, -1) == 1); /* POLL */
        if ((event.events & EPOLLIN) != 0 && read(pair[0], &c, 1) == 1)
            return;
        answer(&left);
    }
}

int main(void)
{
    pthread_t client;

    loop = epoll_create1(0);
    MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0 && loop >= 0);
    MUST(pthread_create(&client, NULL, ask_once_more, NULL) == 0);
    serve();
    pthread_join(client, NULL);
    puts("asked again");
    return 0;
}
