/*
 * fd-leak-thread.c - each worker opens a descriptor for itself and ends without closing it.
 */
#include "test-programs/common/sample.h"

#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#define WORKERS 20

static void *worker(void *arg)
{
    int scratch = memfd_create("scratch", MFD_CLOEXEC); /* LEAK */

    MUST(scratch >= 0 && ftruncate(scratch, 4096) == 0);
    return arg;
}

int main(void)
{
    for (int i = 0; i < WORKERS; i++) {
        pthread_t thread;

        MUST(pthread_create(&thread, NULL, worker, NULL) == 0);
        pthread_join(thread, NULL);
    }
    puts("worked");
    return 0;
}
