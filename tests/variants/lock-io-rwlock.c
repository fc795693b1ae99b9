/*
 * lock-io-rwlock.c - a writer waits for its input with the write lock, taken by a helper of its
 * own; the readers stand behind it.
 */
#include "test-programs/common/sample.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#define UPDATES 8

static pthread_rwlock_t table = PTHREAD_RWLOCK_INITIALIZER;
static int input[2];
static int value;
static int stop;

static void enter(void)
{
    pthread_rwlock_wrlock(&table); /* LOCK */
}

static void await_input(void)
{
    struct pollfd ready = {.fd = input[0], .events = POLLIN};

    MUST(poll(&ready, 1, -1) == 1); /* IO */
}

static void *update(void *arg)
{
    char byte;

    for (int i = 0; i < UPDATES; i++) {
        enter();
        await_input();
        MUST(read(input[0], &byte, 1) == 1);
        value += byte;
        stop = i == UPDATES - 1;
        pthread_rwlock_unlock(&table);
        sleep_ms(1);
    }
    return arg;
}

static void *look(void *arg)
{
    for (int stopped = 0; !stopped;) {
        pthread_rwlock_rdlock(&table);
        stopped = stop;
        pthread_rwlock_unlock(&table);
        sleep_ms(1);
    }
    return arg;
}

int main(void)
{
    pthread_t threads[3];

    MUST(pipe(input) == 0);
    MUST(pthread_create(&threads[0], NULL, update, NULL) == 0);
    for (int i = 1; i < 3; i++)
        MUST(pthread_create(&threads[i], NULL, look, NULL) == 0);
    for (int i = 0; i < UPDATES; i++) {
        sleep_ms(8);
        MUST(write(input[1], "\1", 1) == 1);
    }
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    printf("%d\n", value);
    return 0;
}
