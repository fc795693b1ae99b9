/*
 * Threads open the log when it is not open yet, all at once; the one stored last is written, the
 * others stay open, forgotten.
 *
 * Look at log_file: between the test and the store others come in. The argument is the number of
 * threads.
 */
#include "test-programs/common/sample.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define LINES 5

static int threads = 8;
static int log_shared = -1;
static atomic_int opened, stored;

/* However the machine is loaded, all have come here before one goes on. */
static void meet(atomic_int *come)
{
    for (atomic_fetch_add(come, 1); atomic_load(come) < threads;)
        sleep_ms(1);
}

static int log_open(void)
{
    int fd = memfd_create("log", MFD_CLOEXEC); /* TWICE */

    MUST(fd >= 0);
    meet(&opened); /* the disk is so slow that all come meanwhile */
    return fd;
}

static int log_file(void)
{
    if (__atomic_load_n(&log_shared, __ATOMIC_ACQUIRE) < 0)
        __atomic_store_n(&log_shared, log_open(), __ATOMIC_RELEASE);
    return __atomic_load_n(&log_shared, __ATOMIC_ACQUIRE);
}

static void *work(void *arg)
{
    log_file();
    meet(&stored);
    for (int i = 0; i < LINES; i++) {
        MUST(write(log_file(), "line\n", 5) == 5);
        sleep_ms(5);
    }
    return arg;
}

int main(int argc, char **argv)
{
    if (argc > 1)
        threads = atoi(argv[1]);
    pthread_t *thread = calloc((size_t)threads, sizeof *thread);

    for (int i = 0; i < threads; i++)
        MUST(pthread_create(&thread[i], NULL, work, NULL) == 0);
    for (int i = 0; i < threads; i++)
        pthread_join(thread[i], NULL);
    free(thread);
    close(log_shared);
    puts("worked");
    return 0;
}
