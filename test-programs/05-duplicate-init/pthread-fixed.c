/*
 * The mend of pthread-pitfall: the log is opened once for all.
 *
 * Look at log_file. The argument is the number of threads.
 */
#include "test-programs/common/sample.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define LINES 5

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int log_shared = -1;

static void log_open(void)
{
    log_shared = memfd_create("log", MFD_CLOEXEC);
    MUST(log_shared >= 0);
    sleep_ms(30); /* a slow disk */
}

static int log_file(void)
{
    pthread_once(&once, log_open);
    return log_shared;
}

static void *work(void *arg)
{
    for (int i = 0; i < LINES; i++) {
        MUST(write(log_file(), "line\n", 5) == 5);
        sleep_ms(5);
    }
    return arg;
}

int main(int argc, char **argv)
{
    int threads = argc > 1 ? atoi(argv[1]) : 8;
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
