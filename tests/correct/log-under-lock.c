/*
 * log-under-lock.c - several threads write short lines to one file under a lock, as every logger
 * does: the kernel takes them at once, and nobody waits for the disk.
 */
#include "test-programs/common/sample.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static int log_file;

static void log_line(const char *line, size_t length)
{
    pthread_mutex_lock(&log_lock);
    MUST(write(log_file, line, length) == (ssize_t)length);
    pthread_mutex_unlock(&log_lock);
}

static void *work(void *arg)
{
    for (int i = 0; i < 2000; i++)
        log_line("a line of the log\n", 18);
    return arg;
}

int main(void)
{
    char name[] = "/tmp/log-under-lock-XXXXXX";
    pthread_t threads[4];

    log_file = mkstemp(name);
    MUST(log_file >= 0);
    unlink(name);
    for (int i = 0; i < 4; i++)
        MUST(pthread_create(&threads[i], NULL, work, NULL) == 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    printf("%ld bytes\n", (long)lseek(log_file, 0, SEEK_END));
    close(log_file);
    return 0;
}
