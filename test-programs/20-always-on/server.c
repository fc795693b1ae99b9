/*
 * server.c - a busy server that is recorded for as long as it runs: what recording costs it, and
 * how the log grows, depends on how it is recorded. tests/running and bench/always_on.py run it.
 *
 * Each line of standard input is a number of requests; "served" tells that they are done. A request
 * sends an entry down a pipe with the store locked, at one of 64 places, by one of four workers,
 * and takes it out again.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define WORKERS 4

static pthread_mutex_t queue = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t more = PTHREAD_COND_INITIALIZER, done = PTHREAD_COND_INITIALIZER;
static unsigned long asked, begun, ended;
static int over;

static pthread_mutex_t store = PTHREAD_MUTEX_INITIALIZER;
static int entries[2]; /* a pipe */

/* 64 places that differ in their call stacks: six levels of two calls each. */
__attribute__((noinline)) static void request(unsigned place, unsigned level)
{
    if (level == 0) {
        char entry = 'e';
        pthread_mutex_lock(&store);
        ssize_t sent = write(entries[1], &entry, 1);
        pthread_mutex_unlock(&store);
        if (sent != 1 || read(entries[0], &entry, 1) != 1)
            abort();
    } else if (place & 1) {
        request(place >> 1, level - 1);
        __asm__ volatile("");
    } else {
        request(place >> 1, level - 1);
        __asm__ volatile("nop");
    }
}

static void *worker(void *arg)
{
    pthread_mutex_lock(&queue);
    for (;;) {
        while (begun == asked && !over)
            pthread_cond_wait(&more, &queue);
        if (begun == asked)
            break;
        unsigned long number = begun++;
        pthread_mutex_unlock(&queue);
        request((unsigned)(number % 64), 6);
        pthread_mutex_lock(&queue);
        if (++ended == asked)
            pthread_cond_signal(&done);
    }
    pthread_mutex_unlock(&queue);
    return arg;
}

static void serve(unsigned long n)
{
    pthread_mutex_lock(&queue);
    asked += n;
    pthread_cond_broadcast(&more);
    while (ended != asked)
        pthread_cond_wait(&done, &queue);
    pthread_mutex_unlock(&queue);
}

int main(void)
{
    pthread_t threads[WORKERS];
    char line[64];
    if (pipe(entries) != 0)
        return 1;
    for (int i = 0; i < WORKERS; i++)
        pthread_create(&threads[i], NULL, worker, NULL);
    while (fgets(line, sizeof(line), stdin) != NULL) {
        serve(strtoul(line, NULL, 10));
        puts("served");
        fflush(stdout);
    }
    pthread_mutex_lock(&queue);
    over = 1;
    pthread_cond_broadcast(&more);
    pthread_mutex_unlock(&queue);
    for (int i = 0; i < WORKERS; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
