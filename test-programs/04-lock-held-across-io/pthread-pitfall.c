/*
 * A cache is filled under its lock: while one thread waits for the slow server, every other thread
 * waits too, also for entries that are there.
 *
 * Look at look_up: fetch is called with the lock held.
 */
#include "test-programs/common/sample.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define THREADS 4
#define ENTRIES 10

static pthread_mutex_t cache_lock = PTHREAD_MUTEX_INITIALIZER;
static char cache[ENTRIES];
static int port;

static char fetch(void)
{
    struct sockaddr_in address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char answer;

    loopback_address(port, &address);
    MUST(connect(fd, (struct sockaddr *)&address, sizeof address) == 0); /* CONNECT */
    MUST(read(fd, &answer, 1) == 1);                                     /* IO */
    close(fd);
    return answer;
}

static char look_up(int i)
{
    char value;

    pthread_mutex_lock(&cache_lock); /* LOCK */
    if (cache[i] == 0)
        cache[i] = fetch();
    value = cache[i];
    pthread_mutex_unlock(&cache_lock);
    return value;
}

static void *client(void *arg)
{
    for (int i = 0; i < ENTRIES; i++)
        MUST(look_up(i) == '!');
    return arg;
}

int main(void)
{
    pthread_t threads[THREADS];

    port = slow_server_start(5);
    for (int i = 0; i < THREADS; i++)
        MUST(pthread_create(&threads[i], NULL, client, NULL) == 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    printf("%d entries\n", ENTRIES);
    return 0;
}
