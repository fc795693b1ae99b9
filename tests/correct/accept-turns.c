/*
 * accept-turns.c - the threads of a server take turns at waiting for the next connection: whoever
 * has the lock waits and accepts, and answers when it has let the lock go.
 */
#include "test-programs/common/sample.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define WORKERS     4
#define CONNECTIONS 12

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static int listener, poller;

static int next_connection(void)
{
    struct epoll_event event;
    int fd = -1;

    pthread_mutex_lock(&turn);
    while (fd < 0) {
        MUST(epoll_wait(poller, &event, 1, -1) == 1);
        fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    }
    pthread_mutex_unlock(&turn);
    return fd;
}

static void *worker(void *arg)
{
    char answer = 'a';

    for (int i = 0; i < CONNECTIONS / WORKERS; i++) {
        int fd = next_connection();
        MUST(write(fd, &answer, 1) == 1);
        close(fd);
    }
    return arg;
}

static void call(const struct sockaddr_in *server)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char answer;

    MUST(connect(fd, (const struct sockaddr *)server, sizeof *server) == 0);
    MUST(read(fd, &answer, 1) == 1);
    close(fd);
}

int main(void)
{
    pthread_t threads[WORKERS];
    struct epoll_event event = {.events = EPOLLIN};
    struct sockaddr_in server;
    socklen_t size = sizeof server;

    loopback_address(0, &server);
    listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    MUST(bind(listener, (struct sockaddr *)&server, size) == 0 && listen(listener, 8) == 0);
    MUST(getsockname(listener, (struct sockaddr *)&server, &size) == 0);
    poller = epoll_create1(EPOLL_CLOEXEC);
    MUST(epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event) == 0);
    for (int i = 0; i < WORKERS; i++)
        MUST(pthread_create(&threads[i], NULL, worker, NULL) == 0);
    for (int i = 0; i < CONNECTIONS; i++) {
        usleep(20000);
        call(&server);
    }
    for (int i = 0; i < WORKERS; i++)
        pthread_join(threads[i], NULL);
    puts("done");
    return 0;
}
