/*
 * files-in-hand.c - threads that read a file in two steps, again and again, while main leaves: each
 * has its own one open, and others have opened the same since.
 */
#include "test-programs/common/sample.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#define THREADS 30

static atomic_int rounds;

static void *serve(void *arg)
{
    char block[512];

    for (;;) {
        int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
        MUST(file >= 0);
        MUST(read(file, block, sizeof block) == sizeof block);
        sleep_ms(20);
        MUST(read(file, block, sizeof block) == sizeof block);
        close(file);
        atomic_fetch_add(&rounds, 1);
    }
    return arg;
}

int main(void)
{
    for (int i = 0; i < THREADS; i++) {
        pthread_t thread;
        MUST(pthread_create(&thread, NULL, serve, NULL) == 0);
        pthread_detach(thread);
        sleep_ms(1);
    }
    while (atomic_load(&rounds) < 4 * THREADS)
        sleep_ms(1);
    puts("served");
    return 0;
}
