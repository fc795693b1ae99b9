/*
 * Looks like the race and is right: each thread opens, at once with the others, a file that it
 * alone writes; and all write a log that main opened.
 *
 * Look at work.
 */
#include "test-programs/common/sample.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#define THREADS 8

static int shared;

static int open_part(void)
{
    return memfd_create("part", MFD_CLOEXEC);
}

static void *work(void *arg)
{
    int part = open_part();

    MUST(part >= 0);
    for (int i = 0; i < 40; i++) {
        MUST(write(part, "part\n", 5) == 5);
        MUST(write(shared, "line\n", 5) == 5);
        sleep_ms(i % 8 == 0);
    }
    close(part);
    return arg;
}

int main(void)
{
    pthread_t thread[THREADS];

    shared = open_part();
    for (int i = 0; i < THREADS; i++)
        MUST(pthread_create(&thread[i], NULL, work, NULL) == 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    close(shared);
    puts("worked");
    return 0;
}
