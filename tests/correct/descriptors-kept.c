/*
 * descriptors-kept.c - what daemons keep open on purpose: a log for each of many quiet hosts, a
 * mapped file, pipes to workers, sockets in an event loop, a pool of connections that threads which
 * have ended made for others; and one file that is simply not closed.
 */
#include "test-programs/common/sample.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define MANY 24

static int connection[MANY][2];

static void *connect_one(void *arg)
{
    int *pair = arg;

    MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    return NULL;
}

static void keep_logs(void)
{
    for (int i = 0; i < MANY; i++)
        MUST(open("/dev/null", O_WRONLY | O_APPEND | O_CLOEXEC) >= 0);
}

static void keep_maps(const char *path)
{
    for (int i = 0; i < MANY; i++) {
        int file = open(path, O_RDONLY | O_CLOEXEC);

        MUST(file >= 0 && mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, file, 0) != MAP_FAILED);
    }
}

static void keep_pool(void)
{
    int loop = epoll_create1(EPOLL_CLOEXEC);

    for (int i = 0; i < MANY; i++) {
        struct epoll_event event = {.events = EPOLLIN};
        pthread_t thread;
        char byte;

        MUST(pthread_create(&thread, NULL, connect_one, connection[i]) == 0);
        pthread_join(thread, NULL);
        MUST(epoll_ctl(loop, EPOLL_CTL_ADD, connection[i][0], &event) == 0);
        MUST(epoll_ctl(loop, EPOLL_CTL_ADD, connection[i][1], &event) == 0);
        MUST(write(connection[i][0], "?", 1) == 1 && read(connection[i][1], &byte, 1) == 1);
    }
}

int main(int argc, char **argv)
{
    int workers[MANY][2], file = open(argv[0], O_RDONLY | O_CLOEXEC);
    char byte;

    (void)argc;
    MUST(file >= 0 && read(file, &byte, 1) == 1);
    keep_logs();
    keep_maps(argv[0]);
    keep_pool();
    for (int i = 0; i < MANY; i++)
        MUST(pipe(workers[i]) == 0 && write(workers[i][1], "!", 1) == 1);
    puts("kept");
    return 0;
}
