/* Connections for the tests of this folder. */
#ifndef WEFT_IO_SOCKETS_TEST_H
#define WEFT_IO_SOCKETS_TEST_H

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/test/check.h"

#define TO_ARG(fd) ((void *)(intptr_t)(fd))
#define TO_FD(arg) ((int)(intptr_t)(arg))

static inline int test_listen(struct sockaddr_in *address, int backlog)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    socklen_t length = sizeof *address;
    *address =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    CHECK(bind(fd, (struct sockaddr *)address, sizeof *address) == 0);
    CHECK(listen(fd, backlog) == 0);
    CHECK(getsockname(fd, (struct sockaddr *)address, &length) == 0);
    return fd;
}

/* fds[0] is accepted by Weft; fds[1] is a plain socket. */
static inline void test_connection(int fds[2])
{
    struct sockaddr_in address;
    int listener = test_listen(&address, 8);
    fds[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(connect(fds[1], (struct sockaddr *)&address, sizeof address) == 0);
    fds[0] = weft_accept(listener, NULL, NULL);
    CHECK(fds[0] >= 0 && weft_close(listener) == 0);
}

static inline void test_pair(int type, int fds[2])
{
    CHECK(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds) == 0);
}

static inline uint64_t test_parks(void)
{
    struct weft_stats stats;
    CHECK(weft_stats(&stats) == 0);
    return stats.parks;
}

/* Lets others run until some task waits for longer than the rest need to get there: `entered` is
 * set right before it waits. */
static inline void test_await(_Atomic int *entered, int count)
{
    while (*entered < count)
        weft_yield();
    for (int i = 0; i < 20; i++)
        weft_yield();
}

#endif
