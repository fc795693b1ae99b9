/*
 * The mend of pitfall: the first task makes the table, the others wait for it.
 *
 * Look at table. The argument is the number of tasks.
 */
#include "test-programs/common/sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <weft.h>

#define QUERIES 4

static int tasks = 20;
static struct weft_once once;
static int shared = -1;

static int table_make(void)
{
    int fd = memfd_create("table", MFD_CLOEXEC);

    MUST(fd >= 0);
    for (int row = 0; row < 50; row++)
        MUST(pwrite(fd, &row, sizeof row, row * (off_t)sizeof row) == sizeof row);
    weft_sleep(30 * WEFT_MS); /* the rows come from afar */
    return fd;
}

static void make(void *arg)
{
    (void)arg;
    shared = table_make();
}

static int table(void)
{
    weft_once_do(&once, make, NULL);
    return shared;
}

static void request(void *arg)
{
    int row;

    (void)arg;
    for (int i = 0; i < QUERIES; i++) {
        MUST(pread(table(), &row, sizeof row, 0) == sizeof row);
        weft_sleep(2 * WEFT_MS);
    }
}

static void serve(void *arg)
{
    struct weft_waitgroup requests = {0};

    (void)arg;
    for (int i = 0; i < tasks; i++)
        weft_waitgroup_go(&requests, request, NULL);
    weft_waitgroup_wait(&requests);
    close(shared);
    puts("served");
}

int main(int argc, char **argv)
{
    if (argc > 1)
        tasks = atoi(argv[1]);
    return weft_run(serve, NULL) == 0 ? 0 : 1;
}
