/*
 * Looks like the pile and is right: 300 runs of a sort are merged, which needs all of them open,
 * and each is read until the end; then an event loop watches 300 descriptors that are quiet.
 *
 * Look at merge: the turns go round all runs.
 */
#include "test-programs/common/sample.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define RUNS 300

static long merge(const char *path)
{
    int run[RUNS];
    char record[64];
    long records = 0;

    for (int i = 0; i < RUNS; i++) {
        run[i] = open(path, O_RDONLY | O_CLOEXEC);
        MUST(run[i] >= 0);
    }
    for (int turn = 0; turn < 4; turn++)
        for (int i = 0; i < RUNS; i++)
            records += read(run[i], record, sizeof record) > 0;
    for (int i = 0; i < RUNS; i++)
        close(run[i]);
    return records;
}

static int watch(void)
{
    int quiet[RUNS], loop = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN};
    int ready;

    for (int i = 0; i < RUNS; i++) {
        uint64_t none = 0;

        quiet[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        MUST(quiet[i] >= 0 && read(quiet[i], &none, sizeof none) < 0);
        MUST(epoll_ctl(loop, EPOLL_CTL_ADD, quiet[i], &event) == 0);
    }
    ready = epoll_wait(loop, &event, 1, 1);
    for (int i = 0; i < RUNS; i++)
        close(quiet[i]);
    close(loop);
    return ready;
}

int main(int argc, char **argv)
{
    (void)argc;
    allow_descriptors(RUNS + 100);
    printf("%ld %d\n", merge(argv[0]), watch());
    return 0;
}
