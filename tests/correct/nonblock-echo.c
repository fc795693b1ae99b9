/*
 * nonblock-echo.c - an event loop as it should be: it reads what there is, until there is nothing
 * left, and waits then. Each message costs one read in vain. And one that takes turns with two
 * sockets without waiting, as long as one of them has something.
 */
#include "test-programs/common/sample.h"

#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define MESSAGES 30000

static int loop, near[2], idle[2];

static long take_all(int fd)
{
    char c;
    long taken = 0;

    while (read(fd, &c, 1) == 1)
        taken++;
    MUST(errno == EAGAIN);
    return taken;
}

static void send_one(void)
{
    MUST(write(near[1], "!", 1) == 1);
}

static long with_waits(void)
{
    struct epoll_event event = {.events = EPOLLIN};
    long taken = 0;

    MUST(epoll_ctl(loop, EPOLL_CTL_ADD, near[0], &event) == 0);
    while (taken < MESSAGES) {
        send_one();
        MUST(epoll_wait(loop, &event, 1, -1) == 1);
        taken += take_all(near[0]);
    }
    return taken;
}

static long with_work(void)
{
    long taken = 0;

    while (taken < MESSAGES) {
        send_one();
        taken += take_all(near[0]);
        MUST(take_all(idle[0]) == 0);
    }
    return taken;
}

int main(void)
{
    MUST((loop = epoll_create1(EPOLL_CLOEXEC)) >= 0);
    MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, near) == 0);
    MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, idle) == 0);
    printf("%ld\n", with_waits() + with_work());
    return 0;
}
