/*
 * lock-io-poll.c - clients that share a lock wait for their answers with it held: all of them take
 * it at one place, and do nothing else there but to poll.
 */
#include "test-programs/common/sample.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static pthread_mutex_t link_lock = PTHREAD_MUTEX_INITIALIZER;
static int port;

static void await(int fd)
{
    struct pollfd answer = {.fd = fd, .events = POLLIN};

    pthread_mutex_lock(&link_lock);  /* LOCK */
    MUST(poll(&answer, 1, -1) == 1); /* IO */
    pthread_mutex_unlock(&link_lock);
}

static void *client(void *arg)
{
    struct sockaddr_in address;
    char answer;

    loopback_address(port, &address);
    for (int i = 0; i < 5; i++) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        MUST(connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
        MUST(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
        await(fd);
        MUST(read(fd, &answer, 1) == 1);
        close(fd);
    }
    return arg;
}

int main(void)
{
    pthread_t threads[3];

    port = slow_server_start(10);
    for (int i = 0; i < 3; i++)
        MUST(pthread_create(&threads[i], NULL, client, NULL) == 0);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    puts("done");
    return 0;
}
