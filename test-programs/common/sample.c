/*
 * sample.c - the helpers of sample.h. The server's threads are daemons on purpose: at the end of
 * the program the one that accepts is parked in accept(), which is right and must not be reported.
 */
#include "test-programs/common/sample.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

void sample_fail(const char *file, int line, const char *condition)
{
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
    _exit(99);
}

void sleep_ms(int ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};

    while (nanosleep(&t, &t) != 0)
        ;
}

long now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* The state letter of a thread, 0 when it has ended. */
static char thread_state(const char *tid)
{
    char path[64], text[256];
    const char *name_end;
    ssize_t n;
    int fd;

    snprintf(path, sizeof path, "/proc/self/task/%.20s/stat", tid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    n = read(fd, text, sizeof text - 1);
    close(fd);
    if (n <= 0)
        return 0;
    text[n] = 0;
    name_end = strrchr(text, ')');
    return name_end != NULL && name_end + 2 < text + n ? name_end[2] : 0;
}

static bool others_wait(void)
{
    DIR *threads = opendir("/proc/self/task");
    const struct dirent *thread;
    bool all = true;

    MUST(threads != NULL);
    while (all && (thread = readdir(threads)) != NULL)
        if (thread->d_name[0] != '.' && atoi(thread->d_name) != gettid()) {
            char state = thread_state(thread->d_name);
            all = state == 0 || state == 'S';
        }
    closedir(threads);
    return all;
}

void wait_until_others_wait(void)
{
    /* Asked for several times in a row: one look is not taken at one moment. */
    for (int seen = 0; seen < 5; seen = others_wait() ? seen + 1 : 0)
        sleep_ms(1);
}

bool has_burned_ms(int ms)
{
    return clock() / (CLOCKS_PER_SEC / 1000) >= ms;
}

/* The kernel is asked each 256th time: threads that spend their time there never meet at the lock.
 */
bool has_waited(long times)
{
    static _Thread_local unsigned asked;
    struct rusage used;

    if (++asked % 256 != 0)
        return false;
    MUST(getrusage(RUSAGE_SELF, &used) == 0);
    return used.ru_nvcsw >= times;
}

void allow_descriptors(long least)
{
    struct rlimit limit;

    MUST(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    if (limit.rlim_cur >= (rlim_t)least)
        return;
    limit.rlim_cur = (rlim_t)least;
    MUST(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

void loopback_address(int port, struct sockaddr_in *address)
{
    memset(address, 0, sizeof *address);
    address->sin_family = AF_INET;
    address->sin_port = htons((uint16_t)port);
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
}

struct slow_server {
    int listener;
    int delay_ms;
};

struct slow_connection {
    int fd;
    int delay_ms;
};

static void *slow_answer(void *arg)
{
    struct slow_connection connection = *(struct slow_connection *)arg;

    free(arg);
    sleep_ms(connection.delay_ms);
    (void)send(connection.fd, "!", 1, MSG_NOSIGNAL);
    close(connection.fd);
    return NULL;
}

static void *slow_accept(void *arg)
{
    struct slow_server *server = arg;

    for (;;) {
        struct slow_connection *connection = malloc(sizeof *connection);
        pthread_t thread;

        MUST(connection != NULL);
        connection->delay_ms = server->delay_ms;
        connection->fd = accept(server->listener, NULL, NULL);
        MUST(connection->fd >= 0);
        MUST(pthread_create(&thread, NULL, slow_answer, connection) == 0);
        pthread_detach(thread);
    }
    return NULL;
}

int slow_server_start(int delay_ms)
{
    static struct slow_server server;
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    pthread_t thread;

    server.delay_ms = delay_ms;
    server.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    loopback_address(0, &address);
    MUST(bind(server.listener, (struct sockaddr *)&address, length) == 0);
    MUST(listen(server.listener, 64) == 0);
    MUST(getsockname(server.listener, (struct sockaddr *)&address, &length) == 0);
    MUST(pthread_create(&thread, NULL, slow_accept, &server) == 0);
    pthread_detach(thread);
    return ntohs(address.sin_port);
}
