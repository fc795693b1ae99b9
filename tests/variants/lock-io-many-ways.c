/*
 * lock-io-many-ways.c - a store that is locked through a function of its own, from thousands of
 * ways: on one of them the lock is held while the client is written to.
 */
#include "test-programs/common/sample.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define LEVELS 10

static pthread_mutex_t store = PTHREAD_MUTEX_INITIALIZER;
static int client[2];
static volatile long entries;
static atomic_int reported;

__attribute__((noinline)) static void store_take(void)
{
    pthread_mutex_lock(&store); /* LOCK */
    entries++;
}

__attribute__((noinline)) static void store_leave(void)
{
    entries++;
    pthread_mutex_unlock(&store);
}

/* The kernel waits for room until the client reads. */
__attribute__((noinline)) static void report(void)
{
    static const char text[1 << 20];

    store_take();
    MUST(write(client[0], text, sizeof text) == sizeof text); /* IO */
    store_leave();
    entries++;
}

/* Each of its bits is a call of its own. */
__attribute__((noinline)) static void request(unsigned number, unsigned level)
{
    if (level == 0) {
        store_take();
        store_leave();
    } else if (number & 1) {
        request(number >> 1, level - 1);
        __asm__ volatile("");
    } else {
        request(number >> 1, level - 1);
        __asm__ volatile("nop");
    }
}

__attribute__((noinline)) static void report_within(unsigned level)
{
    if (level == 0)
        report();
    else
        report_within(level - 1);
    entries++;
}

__attribute__((noinline)) static void report_all(void)
{
    report_within(6);
    entries++;
}

static void *read_all(void *arg)
{
    static char text[1 << 16];

    sleep_ms(60);
    while (read(client[1], text, sizeof text) > 0)
        ;
    return arg;
}

static void *use_store(void *arg)
{
    while (!reported) {
        store_take();
        store_leave();
        sleep_ms(1);
    }
    return arg;
}

int main(void)
{
    pthread_t reader, user;

    MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, client) == 0);
    for (int round = 0; round < 4; round++)
        for (unsigned i = 0; i < 1 << LEVELS; i++)
            request(i, LEVELS);
    MUST(pthread_create(&reader, NULL, read_all, NULL) == 0);
    MUST(pthread_create(&user, NULL, use_store, NULL) == 0);
    report_all();
    reported = 1;
    close(client[0]);
    pthread_join(reader, NULL);
    pthread_join(user, NULL);
    close(client[1]);
    puts("reported");
    return 0;
}
