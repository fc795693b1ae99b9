/*
 * Tasks that need the table make it when there is none yet. They all find none, each makes one, and
 * the last to store it wins; the others stay open, forgotten.
 *
 * Look at table: between the test and the store others come in. The argument is the number of
 * tasks.
 */
#include "test-programs/common/sample.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <weft.h>

#define QUERIES 4

static int tasks = 20;
static int shared = -1;
static atomic_int made, stored;

/* However the machine is loaded, all have come here before one goes on. */
static void meet(atomic_int *come)
{
    for (atomic_fetch_add(come, 1); atomic_load(come) < tasks;)
        weft_sleep(WEFT_MS);
}

static int table_make(void)
{
    int fd = memfd_create("table", MFD_CLOEXEC); /* TWICE */

    MUST(fd >= 0);
    for (int row = 0; row < 50; row++)
        MUST(pwrite(fd, &row, sizeof row, row * (off_t)sizeof row) == sizeof row);
    meet(&made); /* the rows come from so far away that all come meanwhile */
    return fd;
}

static int table(void)
{
    if (__atomic_load_n(&shared, __ATOMIC_ACQUIRE) < 0)
        __atomic_store_n(&shared, table_make(), __ATOMIC_RELEASE);
    return __atomic_load_n(&shared, __ATOMIC_ACQUIRE);
}

static void request(void *arg)
{
    int row;

    (void)arg;
    table();
    meet(&stored);
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
