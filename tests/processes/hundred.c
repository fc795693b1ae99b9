/*
 * hundred.c - a program of a hundred processes: it makes ninety-nine children, one after the other,
 * as a shell does, and two of the children leak three threads each.
 */
#include "test-programs/common/sample.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILDREN 99
#define LEAKS    3

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t waits = PTHREAD_COND_INITIALIZER;
static int waiting;

static void *hand_over(void *arg)
{
    pthread_mutex_lock(&lock);
    if (++waiting == LEAKS)
        pthread_cond_signal(&waits);
    while (waiting)
        pthread_cond_wait(arg, &lock); /* LEAK */
    pthread_mutex_unlock(&lock);
    return NULL;
}

static void leak(void)
{
    for (int i = 0; i < LEAKS; i++) {
        pthread_cond_t *taken = malloc(sizeof *taken);
        pthread_t thread;

        MUST(taken != NULL);
        pthread_cond_init(taken, NULL);
        MUST(pthread_create(&thread, NULL, hand_over, taken) == 0); /* SPAWN */
    }
    pthread_mutex_lock(&lock);
    while (waiting < LEAKS)
        pthread_cond_wait(&waits, &lock);
    pthread_mutex_unlock(&lock);
}

static void child(int number)
{
    usleep(1); /* one that only ends has no record */
    if (number == 10 || number == 90) {
        leak();
        sleep_ms(20); /* what it has left behind is not of its end */
    }
    _exit(number % 7);
}

int main(void)
{
    int sum = 0;

    for (int i = 0; i < CHILDREN; i++) {
        int status;
        pid_t pid = fork();

        MUST(pid >= 0);
        if (pid == 0)
            child(i);
        MUST(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
        sum += WEXITSTATUS(status);
    }
    printf("%d\n", sum);
    return 0;
}
