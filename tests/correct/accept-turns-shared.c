/*
 * accept-turns-shared.c - as accept-turns.c, but the threads of two processes take turns, and each
 * writes a line into its log with the lock held as it begins to serve.
 */
#include "test-programs/common/sample.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROCESSES   2
#define WORKERS     4
#define CONNECTIONS 400

struct shared {
    pthread_mutex_t turn;
    int left;
};

static struct shared *shared;
static int listener, poller;

static void tell_of_the_first(int log)
{
    static bool told;
    if (!told)
        MUST(write(log, "serving\n", 8) == 8);
    told = true;
}

/* -1: there are no more. */
static int next_connection(int log)
{
    struct epoll_event event;
    int fd = -1;

    pthread_mutex_lock(&shared->turn);
    tell_of_the_first(log);
    while (fd < 0 && shared->left > 0) {
        MUST(epoll_wait(poller, &event, 1, -1) == 1);
        fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    }
    shared->left -= fd >= 0;
    pthread_mutex_unlock(&shared->turn);
    return fd;
}

static void *worker(void *log)
{
    int fd;
    while ((fd = next_connection(*(int *)log)) >= 0) {
        sleep_ms(2);
        MUST(write(fd, "a", 1) == 1);
        close(fd);
    }
    return NULL;
}

static void serve(void)
{
    pthread_t threads[WORKERS];
    int log[2];
    MUST(pipe(log) == 0);
    for (int i = 0; i < WORKERS; i++)
        MUST(pthread_create(&threads[i], NULL, worker, &log[1]) == 0);
    for (int i = 0; i < WORKERS; i++)
        pthread_join(threads[i], NULL);
    _exit(0);
}

static void call(const struct sockaddr_in *server)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char answer;

    MUST(connect(fd, (const struct sockaddr *)server, sizeof *server) == 0);
    MUST(read(fd, &answer, 1) == 1);
    close(fd);
}

static void share(void)
{
    pthread_mutexattr_t attributes;
    shared = (struct shared *)mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
                                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    MUST(shared != MAP_FAILED && pthread_mutexattr_init(&attributes) == 0);
    MUST(pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED) == 0);
    MUST(pthread_mutex_init(&shared->turn, &attributes) == 0);
    shared->left = CONNECTIONS;
}

int main(void)
{
    struct epoll_event event = {.events = EPOLLIN};
    struct sockaddr_in server;
    socklen_t size = sizeof server;
    int status;

    share();
    loopback_address(0, &server);
    listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    MUST(bind(listener, (struct sockaddr *)&server, size) == 0 && listen(listener, 8) == 0);
    MUST(getsockname(listener, (struct sockaddr *)&server, &size) == 0);
    poller = epoll_create1(EPOLL_CLOEXEC);
    MUST(epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event) == 0);
    for (int i = 0; i < PROCESSES; i++)
        if (fork() == 0)
            serve();
    for (int i = 0; i < CONNECTIONS; i++)
        call(&server);
    while (wait(&status) > 0)
        MUST(status == 0);
    puts("done");
    return 0;
}
