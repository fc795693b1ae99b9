/*
 * thread-churn-c11.c - a thread for each line by thrd_create, detached by a helper; the reader
 * waits until it is done.
 */
#include "test-programs/common/sample.h"

#include <semaphore.h>
#include <stdio.h>
#include <threads.h>

#define LINES 300

static sem_t counted;

static int count_words(void *arg)
{
    int words = 1;

    for (const char *at = arg; *at != '\0'; at++)
        words += *at == ' ';
    sem_post(&counted);
    return words;
}

static void in_background(int (*job)(void *), void *arg)
{
    thrd_t thread;

    MUST(thrd_create(&thread, job, arg) == thrd_success); /* CHURN */
    thrd_detach(thread);
}

int main(void)
{
    static char line[] = "a line of six words, no more";

    sem_init(&counted, 0, 0);
    for (int i = 0; i < LINES; i++) {
        in_background(count_words, line);
        sem_wait(&counted);
    }
    printf("%d lines\n", LINES);
    return 0;
}
