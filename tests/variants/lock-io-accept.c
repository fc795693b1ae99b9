/*
 * lock-io-accept.c - the thread that accepts keeps the lock of the server's numbers meanwhile: who
 * wants to know them waits until the next connection comes.
 */
#include "test-programs/common/sample.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS 8

static pthread_mutex_t numbers = PTHREAD_MUTEX_INITIALIZER;
static int listener, served;

static int next_connection(void)
{
    pthread_mutex_lock(&numbers);                         /* LOCK */
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC); /* IO */
    served++;
    pthread_mutex_unlock(&numbers);
    return fd;
}

static void *serve(void *arg)
{
    for (int i = 0; i < CONNECTIONS; i++)
        close(next_connection());
    return arg;
}

static int ask(void)
{
    pthread_mutex_lock(&numbers);
    int n = served;
    pthread_mutex_unlock(&numbers);
    return n;
}

static void *watch(void *arg)
{
    while (ask() < CONNECTIONS)
        usleep(2000);
    return arg;
}

int main(void)
{
    pthread_t server, watcher;
    struct sockaddr_in address;
    socklen_t size = sizeof address;

    loopback_address(0, &address);
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    MUST(bind(listener, (struct sockaddr *)&address, size) == 0 && listen(listener, 8) == 0);
    MUST(getsockname(listener, (struct sockaddr *)&address, &size) == 0);
    MUST(pthread_create(&server, NULL, serve, NULL) == 0);
    MUST(pthread_create(&watcher, NULL, watch, NULL) == 0);
    for (int i = 0; i < CONNECTIONS; i++) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        usleep(20000);
        MUST(connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
        close(fd);
    }
    pthread_join(server, NULL);
    pthread_join(watcher, NULL);
    puts("done");
    return 0;
}
