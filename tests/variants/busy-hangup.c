/*
 * busy-hangup.c - an event loop whose peer has gone. It stops asking for anything there, but that
 * the other side has hung up is told all the same: the loop goes round without a pause.
 */
#include "test-programs/common/sample.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define ROUNDS 30000 /* the loop is told to end after so many */

static int pair[2], end, loop;
static atomic_int rounds;

static void *tell_to_end(void *arg)
{
    while (rounds < ROUNDS || !has_burned_ms(100))
        sleep_ms(5);
    MUST(eventfd_write(end, 1) == 0);
    return arg;
}

static void watch(int fd)
{
    struct epoll_event wanted = {.events = EPOLLIN, .data.fd = fd};
    MUST(epoll_ctl(loop, EPOLL_CTL_ADD, fd, &wanted) == 0);
}

static void hear(int fd)
{
    char c;
    struct epoll_event nothing = {.data.fd = fd};
    if (read(fd, &c, 1) <= 0)
        MUST(epoll_ctl(loop, EPOLL_CTL_MOD, fd, &nothing) == 0);
}

static void serve(void)
{
    struct epoll_event told[2];
    for (;; rounds++) {
        int n = epoll_wait(loop, told, 2, -1); /* POLL */
        for (int i = 0; i < n; i++)
            if (told[i].data.fd == end)
                return;
            else if ((told[i].events & EPOLLIN) != 0)
                hear(told[i].data.fd);
    }
}

int main(void)
{
    pthread_t other;

    loop = epoll_create1(0);
    end = eventfd(0, 0);
    MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 && loop >= 0 && end >= 0);
    watch(pair[0]);
    watch(end);
    MUST(write(pair[1], "?", 1) == 1);
    close(pair[1]);
    MUST(pthread_create(&other, NULL, tell_to_end, NULL) == 0);
    serve();
    pthread_join(other, NULL);
    puts("told to end");
    return 0;
}
