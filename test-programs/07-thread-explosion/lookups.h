/*
 * lookups.h - a thousand look-ups by a library that blocks its thread for 40 ms, and the most
 * threads that the process had meanwhile.
 */
#include "test-programs/common/sample.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define LOOKUPS 1000

static atomic_int looked_up, most_threads;

static int threads_now(void)
{
    FILE *status = fopen("/proc/self/status", "r");
    char line[128];
    int threads = 0;

    MUST(status != NULL);
    while (threads == 0 && fgets(line, sizeof line, status) != NULL)
        if (strncmp(line, "Threads:", 8) == 0)
            threads = atoi(line + 8);
    fclose(status);
    return threads;
}

/* One end of a connection whose other end never answers; who receives waits 40 ms for it. */
static int server[2];

__attribute__((constructor)) static void connect_server(void)
{
    struct timeval limit = {.tv_usec = 40000};

    MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, server) == 0);
    MUST(setsockopt(server[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0);
}

static void look_up(void *arg)
{
    char answer;

    (void)arg;
    MUST(recv(server[0], &answer, 1, 0) < 0);
    if (atomic_fetch_add(&looked_up, 1) % 50 == 0) {
        int threads = threads_now(), most = most_threads;
        while (threads > most && !atomic_compare_exchange_weak(&most_threads, &most, threads))
            ;
    }
}

static void lookups_done(void)
{
    MUST(looked_up == LOOKUPS);
    fprintf(stderr, "%d threads\n", most_threads);
    printf("%d look-ups\n", LOOKUPS);
}
