/*
 * busy-connect.c - a client that came before its server tries to connect until it is there, and
 * takes no time between.
 */
#include "test-programs/common/sample.h"

#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define TRIES 8000 /* it takes that many until the server is there */

static int bound, port;
static atomic_int tries;

/* The port is taken from the beginning, so that nobody else listens there. */
static void bind_server(void)
{
    struct sockaddr_in address;
    socklen_t len = sizeof address;
    bound = socket(AF_INET, SOCK_STREAM, 0);
    loopback_address(0, &address);
    MUST(bound >= 0 && bind(bound, (struct sockaddr *)&address, len) == 0);
    MUST(getsockname(bound, (struct sockaddr *)&address, &len) == 0);
    port = ntohs(address.sin_port);
}

static void *serve(void *arg)
{
    while (tries < TRIES || !has_burned_ms(100))
        sleep_ms(5);
    MUST(listen(bound, 4) == 0);
    close(accept(bound, NULL, NULL));
    return arg;
}

static void connect_to_server(void)
{
    struct sockaddr_in address;
    loopback_address(port, &address);
    for (;;) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        int result = connect(fd, (struct sockaddr *)&address, sizeof address); /* TRY */
        MUST(result == 0 || errno == ECONNREFUSED);
        close(fd);
        if (result == 0)
            return;
        tries++;
    }
}

int main(void)
{
    pthread_t server;

    bind_server();
    MUST(pthread_create(&server, NULL, serve, NULL) == 0);
    connect_to_server();
    pthread_join(server, NULL);
    puts("connected");
    return 0;
}
