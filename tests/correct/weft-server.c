/*
 * weft-server.c - a server on a socket, a task for each connection, clients in the same run; at the
 * end the listener is closed and all have ended.
 */
#include "test-programs/common/sample.h"

#include <netinet/in.h>
#include <stdio.h>
#include <weft.h>

#define CLIENTS 20

static struct weft_waitgroup connections, clients, listening;
static int listener, port;

static void serve(void *arg)
{
    int fd = *(int *)arg;
    char buffer[64];
    ssize_t n;

    while ((n = weft_read(fd, buffer, sizeof buffer)) > 0)
        MUST(weft_write(fd, buffer, (size_t)n) == n);
    weft_close(fd);
    weft_waitgroup_done(&connections);
}

static void accept_all(void *arg)
{
    int fd;

    (void)arg;
    while ((fd = weft_accept(listener, NULL, NULL)) >= 0) {
        weft_waitgroup_add(&connections, 1);
        MUST(weft_go_copy(serve, &fd, sizeof fd) == 0);
    }
}

static void ask(void *arg)
{
    struct sockaddr_in address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char answer[5];

    (void)arg;
    loopback_address(port, &address);
    MUST(weft_connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
    for (int i = 0; i < 10; i++) {
        MUST(weft_write(fd, "hello", 5) == 5);
        for (size_t got = 0; got < 5;) {
            ssize_t n = weft_read(fd, answer + got, 5 - got);
            MUST(n > 0);
            got += (size_t)n;
        }
    }
    weft_close(fd);
}

static void test(void *arg)
{
    (void)arg;
    MUST(weft_waitgroup_go(&listening, accept_all, NULL) == 0);
    for (int i = 0; i < CLIENTS; i++)
        MUST(weft_waitgroup_go(&clients, ask, NULL) == 0);
    weft_waitgroup_wait(&clients);
    weft_close(listener);
    weft_waitgroup_wait(&listening);
    weft_waitgroup_wait(&connections);
    printf("%d clients\n", CLIENTS);
}

int main(void)
{
    struct sockaddr_in address;
    socklen_t length = sizeof address;

    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    loopback_address(0, &address);
    MUST(bind(listener, (struct sockaddr *)&address, length) == 0);
    MUST(listen(listener, 64) == 0);
    MUST(getsockname(listener, (struct sockaddr *)&address, &length) == 0);
    port = ntohs(address.sin_port);
    return weft_run(test, NULL) == 0 ? 0 : 1;
}
