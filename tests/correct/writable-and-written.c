/*
 * writable-and-written.c - loops that wait until they may write, and write: to the descriptor, or
 * to a stream, whose own calls nobody sees. One that has itself told once; and one that only waits
 * to be connected, again and again.
 */
#include "test-programs/common/sample.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#define TIMES 30000

static int until_writable(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    return poll(&p, 1, 10000) == 1 && (p.revents & POLLOUT) != 0;
}

static int until_selected(int fd)
{
    fd_set to_write;
    FD_ZERO(&to_write);
    FD_SET(fd, &to_write);
    return select(fd + 1, NULL, &to_write, NULL, NULL) == 1 && FD_ISSET(fd, &to_write);
}

static void *drain(void *arg)
{
    char into[4096];
    while (read(*(int *)arg, into, sizeof into) > 0)
        ;
    return NULL;
}

static void by_descriptor(int fd)
{
    for (int i = 0; i < TIMES; i++)
        MUST(until_writable(fd) && send(fd, "!", 1, 0) == 1);
    for (int i = 0; i < TIMES; i++)
        MUST(until_selected(fd) && send(fd, "!", 1, 0) == 1);
}

/* Its write is the C library's own. */
static void by_stream(int fd)
{
    FILE *f = fdopen(dup(fd), "w");
    MUST(f != NULL && setvbuf(f, NULL, _IONBF, 0) == 0);
    for (int i = 0; i < TIMES; i++)
        MUST(until_writable(fd) && fputc('!', f) == '!');
    fclose(f);
}

/* The loop is told of the edge; what wakes it up again is the other side's reading. */
static void told_once(int fd)
{
    struct epoll_event wanted = {.events = EPOLLOUT | EPOLLET}, event;
    int loop = epoll_create1(0);
    MUST(loop >= 0 && epoll_ctl(loop, EPOLL_CTL_ADD, fd, &wanted) == 0);
    for (int i = 0; i < 100; i++)
        if (epoll_wait(loop, &event, 1, 1) == 1)
            MUST(write(fd, "!", 1) == 1);
    close(loop);
}

int main(void)
{
    pthread_t reader;
    int nonblocking[2], blocking[2];

    MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, blocking) == 0);
    MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, nonblocking) == 0);
    MUST(fcntl(nonblocking[0], F_SETFL, O_NONBLOCK) == 0);
    for (int k = 0; k < 2; k++) {
        int *ends = k == 0 ? nonblocking : blocking;
        MUST(pthread_create(&reader, NULL, drain, &ends[1]) == 0);
        by_descriptor(ends[0]);
        by_stream(ends[0]);
        told_once(ends[0]);
        close(ends[0]);
        pthread_join(reader, NULL);
        close(ends[1]);
    }
    puts("all written");
    return 0;
}
