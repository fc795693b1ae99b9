/*
 * ready-and-taken.c - loops that nearly always find something ready, and take it in ways that are
 * not seen by all: by splice, by a stream of the C library, by another thread, by messages that
 * are empty.
 */
#include "test-programs/common/sample.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define TIMES 30000

static sem_t handed, taken;

static void until_readable(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    MUST(poll(&p, 1, 10000) == 1);
}

static void *fill(void *arg)
{
    for (int i = 0; i < TIMES; i++)
        MUST(write(*(int *)arg, "line\n", 5) == 5);
    close(*(int *)arg);
    return NULL;
}

static void by_splice(int fd)
{
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    MUST(null >= 0);
    do
        until_readable(fd);
    while (splice(fd, NULL, null, NULL, 5, 0) > 0);
    close(null);
    close(fd);
}

/* Its reads are the C library's own. */
static void by_stream(int fd)
{
    char line[16];
    FILE *f = fdopen(fd, "r");
    MUST(f != NULL && setvbuf(f, NULL, _IONBF, 0) == 0);
    do
        until_readable(fd);
    while (fgets(line, sizeof line, f) != NULL);
    fclose(f);
}

static void *take(void *arg)
{
    char line[5];
    do {
        sem_wait(&handed);
        MUST(read(*(int *)arg, line, 5) >= 0);
        sem_post(&taken);
    } while (line[0] == 'l');
    return NULL;
}

/* Who polls hands over, and goes on when all is taken. */
static void by_another(int fd)
{
    pthread_t other;
    char c;
    MUST(sem_init(&handed, 0, 0) == 0 && sem_init(&taken, 0, 0) == 0);
    MUST(pthread_create(&other, NULL, take, &fd) == 0);
    for (int i = 0; i < TIMES; i++) {
        until_readable(fd);
        sem_post(&handed);
        sem_wait(&taken);
    }
    MUST(read(fd, &c, 1) == 0);
    MUST(pthread_cancel(other) == 0 && pthread_join(other, NULL) == 0);
    close(fd);
}

static void *knock(void *arg)
{
    for (int i = 0; i < TIMES; i++)
        MUST(send(*(int *)arg, "", 0, 0) == 0);
    return NULL;
}

static void by_empty_messages(void)
{
    pthread_t other;
    int pair[2];
    char c;
    MUST(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0);
    MUST(pthread_create(&other, NULL, knock, &pair[1]) == 0);
    for (int i = 0; i < TIMES; i++) {
        until_readable(pair[0]);
        MUST(read(pair[0], &c, 1) == 0);
    }
    pthread_join(other, NULL);
    close(pair[0]);
    close(pair[1]);
}

int main(void)
{
    void (*const ways[])(int) = {by_splice, by_stream, by_another};
    for (int i = 0; i < 3; i++) {
        pthread_t writer;
        int ends[2];
        MUST(pipe(ends) == 0);
        MUST(pthread_create(&writer, NULL, fill, &ends[1]) == 0);
        ways[i](ends[0]);
        pthread_join(writer, NULL);
    }
    by_empty_messages();
    puts("all taken");
    return 0;
}
