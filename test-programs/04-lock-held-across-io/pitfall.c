/*
 * A cache is filled under its lock: while one task waits for the slow server, every other task
 * waits too, also for entries that are there.
 *
 * Look at look_up: fetch is called with the lock held.
 */
#include "test-programs/common/sample.h"

#include <netinet/in.h>
#include <stdio.h>
#include <weft.h>

#define TASKS   4
#define ENTRIES 10

static struct weft_mutex cache_lock;
static char cache[TASKS * ENTRIES];
static int port;

static char fetch(void)
{
    struct sockaddr_in address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char answer;

    loopback_address(port, &address);
    MUST(weft_connect(fd, (struct sockaddr *)&address, sizeof address) == 0); /* CONNECT */
    MUST(weft_read(fd, &answer, 1) == 1);                                     /* IO */
    weft_close(fd);
    return answer;
}

static char look_up(int i)
{
    char value;

    weft_mutex_lock(&cache_lock); /* LOCK */
    if (cache[i] == 0)
        cache[i] = fetch();
    value = cache[i];
    weft_mutex_unlock(&cache_lock);
    return value;
}

static void client(void *arg)
{
    const int *first = arg;
    for (int i = 0; i < ENTRIES; i++)
        MUST(look_up(*first + i) == '!');
}

static void serve(void *arg)
{
    struct weft_waitgroup clients = {0};
    const int *apart = arg;
    int first[TASKS];

    for (int i = 0; i < TASKS; i++) {
        first[i] = i * *apart;
        MUST(weft_waitgroup_go(&clients, client, &first[i]) == 0);
    }
    weft_waitgroup_wait(&clients);
    printf("%d entries\n", ENTRIES);
}

/* With an argument each task wants entries of its own. */
int main(int argc, char **argv)
{
    int apart = argc > 1 ? ENTRIES : 0;

    (void)argv;
    port = slow_server_start(5);
    return weft_run(serve, &apart) == 0 ? 0 : 1;
}
