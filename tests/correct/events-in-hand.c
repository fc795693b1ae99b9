/*
 * events-in-hand.c - many event descriptors at once, each used when it was made: workers wait for
 * theirs, and a loop polls the others, though nothing happens there any more.
 */
#include "test-programs/common/sample.h"

#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#define EACH 40

static void *work(void *arg)
{
    eventfd_t job;
    while (eventfd_read((int)(intptr_t)arg, &job) == 0 && job != 2)
        ;
    return NULL;
}

static int start(void)
{
    pthread_t worker;
    int jobs = eventfd(0, EFD_CLOEXEC);
    MUST(jobs >= 0 && eventfd_write(jobs, 1) == 0);
    MUST(pthread_create(&worker, NULL, work, (void *)(intptr_t)jobs) == 0);
    MUST(pthread_detach(worker) == 0);
    return jobs;
}

static struct pollfd watch(void)
{
    char events[4096];
    int changes = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    MUST(changes >= 0 && read(changes, events, sizeof events) == -1);
    return (struct pollfd){.fd = changes, .events = POLLIN};
}

int main(void)
{
    struct pollfd changes[EACH];
    for (int i = 0; i < EACH; i++) {
        start();
        changes[i] = watch();
        MUST(poll(changes, (nfds_t)i + 1, 1) == 0);
    }
    MUST(poll(changes, EACH, 20) == 0);
    wait_until_others_wait();
    puts("nothing happens");
    return 0;
}
